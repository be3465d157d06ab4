# Firehose's own error log; it has to exist beforehand when a stream is not made in
# the console.

resource "aws_cloudwatch_log_group" "firehose" {
  #checkov:skip=CKV_AWS_158:it holds codes and counts, no record; AWS's own key encrypts it
  #checkov:skip=CKV_AWS_338:it is for operators, not the audit trail: 90 days are enough
  for_each = local.error_log_groups

  name              = each.value
  retention_in_days = 90
  tags              = var.tags
}

resource "aws_cloudwatch_log_stream" "delivery" {
  for_each = local.error_log_groups

  name           = "DestinationDelivery"
  log_group_name = aws_cloudwatch_log_group.firehose[each.key].name
}

resource "aws_cloudwatch_log_stream" "backup" {
  for_each = local.destinations

  name           = "BackupDelivery"
  log_group_name = aws_cloudwatch_log_group.firehose[each.key].name
}

locals {
  # Values at the provider's own defaults would not be kept in state, and every plan
  # would show them again: none of these is one.
  processor_parameters = {
    for name in local.destinations : name => {
      LambdaArn               = aws_lambda_alias.live[name].arn
      BufferSizeInMBs         = "0.5"
      BufferIntervalInSeconds = "30"
    }
  }
  error_prefix = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
}
