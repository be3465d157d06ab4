output "log_group_name" {
  description = "The shared log group that bots write to."
  value       = module.audit_pipeline.log_group_name
}

output "log_group_arn" {
  description = "ARN of that log group."
  value       = module.audit_pipeline.log_group_arn
}

output "delivery_stream_names" {
  description = "Name of each delivery stream, by destination."
  value       = module.audit_pipeline.delivery_stream_names
}

output "delivery_stream_arns" {
  description = "ARN of each delivery stream, by destination; central_account needs it."
  value       = module.audit_pipeline.delivery_stream_arns
}

output "transformer_function_names" {
  description = "Name of each transformer, by destination."
  value       = module.audit_pipeline.transformer_function_names
}

output "failure_bucket_name" {
  description = "Bucket for what could not be delivered; it holds unredacted originals."
  value       = module.audit_pipeline.failure_bucket_name
}

output "archive_bucket_name" {
  description = "Bucket of untouched envelopes, null without an archive."
  value       = module.audit_pipeline.archive_bucket_name
}

output "firehose_cidrs" {
  description = "Addresses that Firehose calls from in this Region, for Splunk's allow list."
  value       = module.audit_pipeline.firehose_cidrs
}

output "bot_policies" {
  description = "Policy for each bot, for roles that are made elsewhere."
  value       = { for name, bot in module.bot_access : name => bot.policy_json }
}

output "alarm_names" {
  description = "Names of all alarms."
  value       = module.audit_pipeline.alarm_names
}
