output "log_group_name" {
  description = "The shared log group that bots write to."
  value       = local.log_group_name
}

output "log_group_arn" {
  description = "ARN of that log group, without the trailing colon and star."
  value       = local.log_group_arn
}

output "delivery_stream_arns" {
  description = "ARN of each delivery stream, by destination; known early, given on when the streams are there."
  value       = local.stream_arns

  depends_on = [
    aws_kinesis_firehose_delivery_stream.splunk,
    aws_kinesis_firehose_delivery_stream.opensearch,
    aws_kinesis_firehose_delivery_stream.elastic,
  ]
}

output "delivery_stream_names" {
  description = "Name of each delivery stream, by destination."
  value       = local.stream_names
}

output "subscription_role_arn" {
  description = "Role that CloudWatch Logs assumes to put envelopes; bot_access needs it for its fallback filters."
  value       = aws_iam_role.subscription.arn

  depends_on = [aws_iam_role_policy.subscription]
}

output "refused_log_groups" {
  description = "The pipeline's own log groups, which nothing may subscribe; bot_access checks it."
  value       = concat(values(local.own_log_groups), values(local.error_log_groups))
}

output "transformer_function_names" {
  description = "Name of each transformer, by destination."
  value       = local.function_names
}

output "transformer_role_arns" {
  description = "Role of each transformer, by destination."
  value       = { for name, role in aws_iam_role.transformer : name => role.arn }
}

output "failure_bucket_name" {
  description = "Bucket for what could not be delivered; it holds unredacted originals."
  value       = aws_s3_bucket.this["failed"].bucket
}

output "archive_bucket_name" {
  description = "Bucket of untouched envelopes, null without an archive."
  value       = try(aws_s3_bucket.this["archive"].bucket, null)
}

output "firehose_cidrs" {
  description = "Addresses that Firehose calls from in this Region, for Splunk's allow list; empty where the list is not known."
  value       = lookup(local.firehose_cidrs_by_region, local.region, [])
}

output "alarm_names" {
  description = "Names of all alarms."
  value       = sort([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name])
}
