resource "aws_kinesis_firehose_delivery_stream" "archive" {
  #checkov:skip=CKV_AWS_240:encryption of the stream follows create_kms_key and kms_key_arn
  #checkov:skip=CKV_AWS_241:AWS's own key is a choice where no key of the user's is given
  count = var.archive == null ? 0 : 1

  name        = local.archive_stream_name
  destination = "extended_s3"
  tags        = var.tags

  server_side_encryption {
    enabled  = true
    key_type = local.has_key ? "CUSTOMER_MANAGED_CMK" : "AWS_OWNED_CMK"
    key_arn  = local.kms_key_arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.archive[0].arn
    bucket_arn          = aws_s3_bucket.this["archive"].arn
    prefix              = "envelopes/!{timestamp:yyyy/MM/dd/HH}/"
    error_output_prefix = "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    # Envelopes are gzip already.
    compression_format = "UNCOMPRESSED"
    buffering_size     = 64
    buffering_interval = 300

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose["archive"].name
      log_stream_name = aws_cloudwatch_log_stream.delivery["archive"].name
    }
  }

  depends_on = [aws_iam_role_policy.archive]
}
