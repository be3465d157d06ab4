resource "aws_kinesis_firehose_delivery_stream" "opensearch" {
  #checkov:skip=CKV_AWS_240:encryption of the stream follows create_kms_key and kms_key_arn
  #checkov:skip=CKV_AWS_241:AWS's own key is a choice where no key of the user's is given
  count = var.opensearch == null ? 0 : 1

  name        = local.stream_names["opensearch"]
  destination = "opensearch"
  tags        = var.tags

  server_side_encryption {
    enabled  = true
    key_type = local.has_key ? "CUSTOMER_MANAGED_CMK" : "AWS_OWNED_CMK"
    key_arn  = local.kms_key_arn
  }

  opensearch_configuration {
    domain_arn = var.opensearch.domain_arn
    index_name = var.opensearch.index_name
    # The ingest pipeline files documents by month; a name that rotates would not be its.
    index_rotation_period = "NoRotation"
    type_name             = ""
    role_arn              = aws_iam_role.firehose["opensearch"].arn
    retry_duration        = var.opensearch.retry_s
    buffering_size        = var.opensearch.buffer_mb
    buffering_interval    = var.opensearch.buffer_interval_s
    s3_backup_mode        = "FailedDocumentsOnly"

    document_id_options {
      default_document_id_format = "NO_DOCUMENT_ID"
    }

    dynamic "vpc_config" {
      for_each = var.opensearch.vpc == null ? [] : [var.opensearch.vpc]
      content {
        subnet_ids         = vpc_config.value.subnet_ids
        security_group_ids = vpc_config.value.security_group_ids
        role_arn           = aws_iam_role.firehose["opensearch"].arn
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose["opensearch"].name
      log_stream_name = aws_cloudwatch_log_stream.delivery["opensearch"].name
    }

    processing_configuration {
      enabled = true
      processors {
        type = "Lambda"
        dynamic "parameters" {
          for_each = local.processor_parameters["opensearch"]
          content {
            parameter_name  = parameters.key
            parameter_value = parameters.value
          }
        }
      }
    }

    s3_configuration {
      role_arn            = aws_iam_role.firehose["opensearch"].arn
      bucket_arn          = aws_s3_bucket.this["failed"].arn
      prefix              = "opensearch/backup/"
      error_output_prefix = "opensearch/${local.error_prefix}"
      compression_format  = "GZIP"
      buffering_size      = 5
      buffering_interval  = 60

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.firehose["opensearch"].name
        log_stream_name = aws_cloudwatch_log_stream.backup["opensearch"].name
      }
    }
  }

  depends_on = [aws_iam_role_policy.firehose]
}
