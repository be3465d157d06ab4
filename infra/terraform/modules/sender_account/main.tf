data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id    = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  region        = data.aws_region.current.id
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${var.log_group_name}"
}

resource "aws_cloudwatch_log_group" "this" {
  name              = var.log_group_name
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn
  log_group_class   = "STANDARD"
  tags              = var.tags
}

# A destination that is shared with an organization cannot tell accounts apart: AWS
# wants the sender to show a role. One that names accounts wants none.

resource "aws_iam_role" "this" {
  count = var.use_role ? 1 : 0

  name = "${var.name_prefix}-sender"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringLike = { "aws:SourceArn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:*" } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  count = var.use_role ? 1 : 0

  name = "send-envelopes"
  role = aws_iam_role.this[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "SendEnvelopes"
      Effect   = "Allow"
      Action   = ["logs:PutLogEvents"]
      Resource = [for name in concat([var.log_group_name], var.execution_log_group_names) : "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${name}:*"]
    }]
  })
}

resource "aws_cloudwatch_log_subscription_filter" "this" {
  for_each = var.destination_arns

  name            = "${var.name_prefix}-${each.key}"
  log_group_name  = aws_cloudwatch_log_group.this.name
  filter_pattern  = ""
  destination_arn = each.value
  role_arn        = one(aws_iam_role.this[*].arn)

  lifecycle {
    precondition {
      condition     = !contains(var.execution_log_group_names, var.log_group_name) && !startswith(var.log_group_name, "/aws/lambda/") && !startswith(var.log_group_name, "/aws/kinesisfirehose/")
      error_message = "log_group_name must be a log group of its own, not the execution log of a bot or Firehose's."
    }
  }

  depends_on = [aws_iam_role_policy.this]
}
