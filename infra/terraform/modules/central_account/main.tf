data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  region          = data.aws_region.current.id
  account_id      = data.aws_caller_identity.current.account_id
  destination_arn = "arn:${data.aws_partition.current.partition}:logs:${local.region}:${local.account_id}:destination:${var.name}"
  source_arns = [
    for id in concat(var.source_account_ids, [local.account_id]) :
    "arn:${data.aws_partition.current.partition}:logs:*:${id}:*"
  ]
}

resource "aws_iam_role" "this" {
  name = "${var.name}-central-subscription"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # CloudWatch Logs names the log group that it sends from.
      Condition = {
        StringLike = {
          (var.organization_id == null ? "aws:SourceArn" : "aws:SourceOrgID") = var.organization_id == null ? local.source_arns : [var.organization_id]
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "put-envelopes"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "PutEnvelopes"
      Effect   = "Allow"
      Action   = ["firehose:PutRecord"]
      Resource = [var.delivery_stream_arn]
    }]
  })
}

resource "aws_cloudwatch_log_destination" "this" {
  name       = var.name
  role_arn   = aws_iam_role.this.arn
  target_arn = var.delivery_stream_arn
  tags       = var.tags

  depends_on = [aws_iam_role_policy.this]

  lifecycle {
    precondition {
      condition     = var.organization_id != null || length(var.source_account_ids) > 0
      error_message = "Give source_account_ids or organization_id: nobody could subscribe."
    }
  }
}

resource "aws_cloudwatch_log_destination_policy" "this" {
  destination_name = aws_cloudwatch_log_destination.this.name
  access_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in [{
        Sid       = "Subscribe"
        Effect    = "Allow"
        Principal = { AWS = var.organization_id == null ? var.source_account_ids : ["*"] }
        Action    = "logs:PutSubscriptionFilter"
        Resource  = local.destination_arn
        Condition = var.organization_id == null ? null : { StringEquals = { "aws:PrincipalOrgID" = [var.organization_id] } }
      }] : { for key, value in statement : key => value if value != null }
    ]
  })
}
