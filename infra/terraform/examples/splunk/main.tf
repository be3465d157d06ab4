# To Splunk, as most will run it: two indexes, alarms to a topic, two bots, one of them
# with its fallback lines.

provider "aws" {
  region = "eu-west-1"
}

variable "transformer_zip_path" {
  description = "Path of the Lambda's zip, as `make build` makes it."
  type        = string
  default     = "../../../../build/transformer-arm64.zip"
}

variable "protect_log_group" {
  description = "Whether terraform refuses to destroy the log group; false is for trying out."
  type        = bool
  default     = true
}

module "chatbot_audit" {
  source = "../.."

  transformer_zip_path = var.transformer_zip_path
  protect_log_group    = var.protect_log_group

  splunk = {
    hec_endpoint  = "https://hec.example.com:8088"
    secret_arn    = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit-hec-AbCdEf"
    index         = "chatbot_audit"
    content_index = "chatbot_audit_content"
  }

  bots = {
    VeraResearch = {
      role_name                = aws_iam_role.bot["VeraResearch"].name
      execution_log_group_name = aws_cloudwatch_log_group.vera.name
    }
    HRBot = { role_name = aws_iam_role.bot["HRBot"].name }
  }

  alarm_topic_arns = [aws_sns_topic.alarms.arn]
  runbook_url      = "https://example.com/chatbot-audit/runbook.md"
  tags             = { service = "chatbot-audit" }
}

# What is there already in a real account: roles and log groups of bots, a topic.

resource "aws_iam_role" "bot" {
  for_each = toset(["HRBot", "VeraResearch"])

  name = "${each.key}-execution"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_cloudwatch_log_group" "vera" {
  #checkov:skip=CKV_AWS_158:stands for a log group that is there already
  #checkov:skip=CKV_AWS_338:a bot's execution log is no audit trail
  name              = "/aws/lambda/VeraResearch"
  retention_in_days = 30
}

resource "aws_sns_topic" "alarms" {
  name              = "chatbot-audit-alarms"
  kms_master_key_id = "alias/aws/sns"
}

output "log_group_name" {
  description = "The shared log group that bots write to."
  value       = module.chatbot_audit.log_group_name
}

output "delivery_stream_names" {
  description = "Name of each delivery stream, by destination."
  value       = module.chatbot_audit.delivery_stream_names
}

output "failure_bucket_name" {
  description = "Bucket for what could not be delivered."
  value       = module.chatbot_audit.failure_bucket_name
}

output "firehose_cidrs" {
  description = "Addresses for Splunk's allow list."
  value       = module.chatbot_audit.firehose_cidrs
}

output "alarm_names" {
  description = "Names of all alarms."
  value       = module.chatbot_audit.alarm_names
}
