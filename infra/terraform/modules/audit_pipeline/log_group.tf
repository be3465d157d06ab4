# Two resources, because prevent_destroy cannot be a variable; one of them exists.

resource "aws_cloudwatch_log_group" "protected" {
  count = var.protect_log_group ? 1 : 0

  name              = var.log_group_name
  retention_in_days = var.retention_days
  kms_key_id        = local.kms_key_arn
  log_group_class   = "STANDARD"
  tags              = var.tags

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [aws_kms_key_policy.this]
}

resource "aws_cloudwatch_log_group" "unprotected" {
  count = var.protect_log_group ? 0 : 1

  name              = var.log_group_name
  retention_in_days = var.retention_days
  kms_key_id        = local.kms_key_arn
  log_group_class   = "STANDARD"
  tags              = var.tags

  depends_on = [aws_kms_key_policy.this]
}

locals {
  log_group_name = one(concat(
    aws_cloudwatch_log_group.protected[*].name,
    aws_cloudwatch_log_group.unprotected[*].name,
  ))
}
