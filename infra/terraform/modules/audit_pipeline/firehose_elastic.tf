resource "aws_kinesis_firehose_delivery_stream" "elastic" {
  #checkov:skip=CKV_AWS_240:encryption of the stream follows create_kms_key and kms_key_arn
  #checkov:skip=CKV_AWS_241:AWS's own key is a choice where no key of the user's is given
  count = var.elastic == null ? 0 : 1

  name        = local.stream_names["elastic"]
  destination = "http_endpoint"
  tags        = var.tags

  server_side_encryption {
    enabled  = true
    key_type = local.has_key ? "CUSTOMER_MANAGED_CMK" : "AWS_OWNED_CMK"
    key_arn  = local.kms_key_arn
  }

  http_endpoint_configuration {
    url                = var.elastic.url
    name               = "Elastic"
    role_arn           = aws_iam_role.firehose["elastic"].arn
    retry_duration     = var.elastic.retry_s
    buffering_size     = var.elastic.buffer_mb
    buffering_interval = var.elastic.buffer_interval_s
    s3_backup_mode     = "FailedDataOnly"

    secrets_manager_configuration {
      enabled    = true
      secret_arn = var.elastic.secret_arn
      role_arn   = aws_iam_role.firehose["elastic"].arn
    }

    request_configuration {
      content_encoding = "GZIP"
      common_attributes {
        name  = "es_datastream_name"
        value = var.elastic.datastream
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose["elastic"].name
      log_stream_name = aws_cloudwatch_log_stream.delivery["elastic"].name
    }

    processing_configuration {
      enabled = true
      processors {
        type = "Lambda"
        dynamic "parameters" {
          for_each = local.processor_parameters["elastic"]
          content {
            parameter_name  = parameters.key
            parameter_value = parameters.value
          }
        }
      }
    }

    s3_configuration {
      role_arn            = aws_iam_role.firehose["elastic"].arn
      bucket_arn          = aws_s3_bucket.this["failed"].arn
      prefix              = "elastic/backup/"
      error_output_prefix = "elastic/${local.error_prefix}"
      compression_format  = "GZIP"
      buffering_size      = 5
      buffering_interval  = 60

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.firehose["elastic"].name
        log_stream_name = aws_cloudwatch_log_stream.backup["elastic"].name
      }
    }
  }

  depends_on = [aws_iam_role_policy.firehose]
}
