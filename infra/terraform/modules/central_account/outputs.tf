output "destination_arn" {
  description = "What log groups of other accounts use as the destination of their subscription filter (sender_account)."
  value       = aws_cloudwatch_log_destination.this.arn

  depends_on = [aws_cloudwatch_log_destination_policy.this]
}

output "sender_needs_role" {
  description = "Whether the sending account has to give its filter a role: so with an organization, not with accounts named one by one."
  value       = var.organization_id != null
}
