resource "aws_cloudwatch_log_subscription_filter" "this" {
  for_each = local.destinations

  name            = local.filter_names[each.key]
  log_group_name  = local.log_group_name
  filter_pattern  = var.filter_pattern
  destination_arn = local.stream_arns[each.key]
  role_arn        = aws_iam_role.subscription.arn

  lifecycle {
    precondition {
      condition     = length(local.filter_names) <= 2
      error_message = "A log group takes two subscription filters: choose two of splunk, opensearch, elastic and archive, or fan out through a Kinesis stream of your own."
    }
    precondition {
      condition     = !contains(local.refused_log_groups, var.log_group_name) && !startswith(var.log_group_name, "/aws/lambda/")
      error_message = "log_group_name must not be the pipeline's own log group, Firehose's error group or the execution log of a bot: the pipeline would feed itself."
    }
  }

  # CloudWatch sends a test message when a filter is made: the right to put and an
  # active stream have to be there, not only the role.
  depends_on = [
    aws_iam_role_policy.subscription,
    aws_kinesis_firehose_delivery_stream.splunk,
    aws_kinesis_firehose_delivery_stream.opensearch,
    aws_kinesis_firehose_delivery_stream.elastic,
  ]
}

resource "aws_cloudwatch_log_subscription_filter" "archive" {
  count = var.archive == null ? 0 : 1

  name            = local.filter_names["archive"]
  log_group_name  = local.log_group_name
  filter_pattern  = ""
  destination_arn = local.archive_stream_arn
  role_arn        = aws_iam_role.subscription.arn

  lifecycle {
    precondition {
      condition     = !contains(local.refused_log_groups, var.log_group_name) && !startswith(var.log_group_name, "/aws/lambda/")
      error_message = "log_group_name must not be the pipeline's own log group, Firehose's error group or the execution log of a bot: the pipeline would feed itself."
    }
  }

  depends_on = [
    aws_iam_role_policy.subscription,
    aws_kinesis_firehose_delivery_stream.archive,
  ]
}
