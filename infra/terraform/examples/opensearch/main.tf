# To an OpenSearch Service domain inside a VPC, with a key of the account's own.

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
  create_kms_key       = true

  opensearch = {
    domain_arn    = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit"
    http_limit_mb = 100
    vpc = {
      subnet_ids         = ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]
      security_group_ids = ["sg-0a1b2c3d4e5f60718"]
    }
  }

  bots = { VeraResearch = {} }
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

output "bot_policies" {
  description = "Policy for each bot, for a role that is made elsewhere."
  value       = module.chatbot_audit.bot_policies
}
