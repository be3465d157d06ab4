resource "aws_kinesis_firehose_delivery_stream" "splunk" {
  #checkov:skip=CKV_AWS_240:encryption of the stream follows create_kms_key and kms_key_arn
  #checkov:skip=CKV_AWS_241:AWS's own key is a choice where no key of the user's is given
  count = var.splunk == null ? 0 : 1

  name        = local.stream_names["splunk"]
  destination = "splunk"
  tags        = var.tags

  server_side_encryption {
    enabled  = true
    key_type = local.has_key ? "CUSTOMER_MANAGED_CMK" : "AWS_OWNED_CMK"
    key_arn  = local.kms_key_arn
  }

  splunk_configuration {
    hec_endpoint               = var.splunk.hec_endpoint
    hec_endpoint_type          = "Event"
    hec_acknowledgment_timeout = var.splunk.ack_timeout_s
    retry_duration             = var.splunk.retry_s
    buffering_size             = var.splunk.buffer_mb
    buffering_interval         = var.splunk.buffer_interval_s
    s3_backup_mode             = "FailedEventsOnly"

    # The token never passes through Terraform: no variable, no plan, no state.
    secrets_manager_configuration {
      enabled    = true
      secret_arn = var.splunk.secret_arn
      role_arn   = aws_iam_role.firehose["splunk"].arn
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose["splunk"].name
      log_stream_name = aws_cloudwatch_log_stream.delivery["splunk"].name
    }

    processing_configuration {
      enabled = true
      processors {
        type = "Lambda"
        dynamic "parameters" {
          for_each = local.processor_parameters["splunk"]
          content {
            parameter_name  = parameters.key
            parameter_value = parameters.value
          }
        }
      }
    }

    s3_configuration {
      role_arn            = aws_iam_role.firehose["splunk"].arn
      bucket_arn          = aws_s3_bucket.this["failed"].arn
      prefix              = "splunk/backup/"
      error_output_prefix = "splunk/${local.error_prefix}"
      compression_format  = "GZIP"
      buffering_size      = 5
      buffering_interval  = 60

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.firehose["splunk"].name
        log_stream_name = aws_cloudwatch_log_stream.backup["splunk"].name
      }
    }
  }

  depends_on = [aws_iam_role_policy.firehose]
}
