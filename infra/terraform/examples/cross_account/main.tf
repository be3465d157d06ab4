# The pipeline in one account, bots in another: their records go through a log group of
# their own account to a destination that the central account offers.

variable "bots_account_id" {
  description = "Account that the bots run in, twelve digits."
  type        = string
  default     = "210987654321"
}

variable "organization_id" {
  description = "Organization all of whose accounts may send; null lets bots_account_id alone."
  type        = string
  default     = null
}

variable "transformer_zip_path" {
  description = "Path of the Lambda's zip, as `make build` makes it."
  type        = string
  default     = "../../../../build/transformer-arm64.zip"
}

provider "aws" {
  region = "eu-west-1"
}

provider "aws" {
  alias  = "bots"
  region = "eu-west-1"

  assume_role {
    role_arn = "arn:aws:iam::${var.bots_account_id}:role/terraform"
  }
}

module "chatbot_audit" {
  source = "../.."

  transformer_zip_path = var.transformer_zip_path
  silence_hours        = 0 # Records reach the stream, not the central log group.

  splunk = {
    hec_endpoint = "https://hec.example.com:8088"
    secret_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit-hec-AbCdEf"
  }
}

module "central_account" {
  source = "../../modules/central_account"

  name                = "chatbot-audit-splunk"
  delivery_stream_arn = module.chatbot_audit.delivery_stream_arns["splunk"]
  source_account_ids  = [var.bots_account_id]
  organization_id     = var.organization_id
}

module "sender_account" {
  source    = "../../modules/sender_account"
  providers = { aws = aws.bots }

  destination_arns          = { splunk = module.central_account.destination_arn }
  use_role                  = module.central_account.sender_needs_role
  execution_log_group_names = ["/aws/lambda/VeraResearch"]
}

module "bot_access" {
  source    = "../../modules/bot_access"
  providers = { aws = aws.bots }

  bot_name                 = "VeraResearch"
  role_name                = "VeraResearch-execution"
  log_group_arn            = module.sender_account.log_group_arn
  execution_log_group_name = "/aws/lambda/VeraResearch"
  fallback_streams         = { splunk = module.central_account.destination_arn }
  subscription_role_arn    = module.sender_account.sender_role_arn
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

output "bots_log_group_name" {
  description = "The log group that bots of the other account write to."
  value       = module.sender_account.log_group_name
}
