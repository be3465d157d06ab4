output "log_group_name" {
  description = "The log group that bots of this account write to."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "ARN of that log group, for bot_access."
  value       = local.log_group_arn
}

output "sender_role_arn" {
  description = "Role for further filters to the same destinations, such as fallback filters; null where none is needed."
  value       = one(aws_iam_role.this[*].arn)

  depends_on = [aws_iam_role_policy.this]
}
