# The least that is needed: one destination; everything else at its default.

provider "aws" {
  region = "eu-west-1"
}

variable "transformer_zip_path" {
  description = "Path of the Lambda's zip, as `make build` makes it."
  type        = string
  default     = "../../../../build/transformer-arm64.zip"
}

module "chatbot_audit" {
  source = "../.."

  transformer_zip_path = var.transformer_zip_path

  splunk = {
    hec_endpoint = "https://hec.example.com:8088"
    secret_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit-hec-AbCdEf"
  }
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
