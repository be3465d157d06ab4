# Ranges are checked in the modules, where they are used; errors name the variable.

variable "name_prefix" {
  description = "Begins the name of everything that is made; 3 to 20 characters."
  type        = string
  default     = "chatbot-audit"
}

variable "log_group_name" {
  description = "Name of the shared log group that all bots write to."
  type        = string
  default     = "/aws/ai-bots/audit-logs"
}

variable "retention_days" {
  description = "Days that the log group keeps records; one of the values CloudWatch Logs knows."
  type        = number
  default     = 400
}

variable "protect_log_group" {
  description = "Whether terraform refuses to destroy the log group."
  type        = bool
  default     = true
}

variable "filter_pattern" {
  description = "Which lines are forwarded; empty forwards all. At most 1,024 characters."
  type        = string
  default     = ""
}

variable "create_kms_key" {
  description = "Whether to make a key for the log group and the buckets."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of a key of yours for the log group and the buckets."
  type        = string
  default     = null
}

variable "splunk" {
  description = "Delivery to Splunk; see the module audit_pipeline. Null delivers none."
  type = object({
    hec_endpoint       = string
    secret_arn         = string
    secret_kms_key_arn = optional(string)
    ack_timeout_s      = optional(number, 300)
    retry_s            = optional(number, 3600)
    buffer_mb          = optional(number, 1)
    buffer_interval_s  = optional(number, 30)
    index              = optional(string, "")
    content_index      = optional(string, "")
  })
  default = null
}

variable "opensearch" {
  description = "Delivery to an OpenSearch Service domain; see the module audit_pipeline. Null delivers none."
  type = object({
    domain_arn        = string
    index_name        = optional(string, "chatbot-audit-ingest")
    retry_s           = optional(number, 3600)
    http_limit_mb     = optional(number, 10)
    buffer_mb         = optional(number, 4)
    buffer_interval_s = optional(number, 60)
    vpc = optional(object({
      subnet_ids         = list(string)
      security_group_ids = list(string)
    }))
  })
  default = null
}

variable "elastic" {
  description = "Delivery to Elastic's Firehose endpoint; see the module audit_pipeline. Null delivers none."
  type = object({
    url                = string
    secret_arn         = string
    secret_kms_key_arn = optional(string)
    datastream         = optional(string, "logs-chatbot.audit-default")
    retry_s            = optional(number, 300)
    buffer_mb          = optional(number, 1)
    buffer_interval_s  = optional(number, 60)
  })
  default = null
}

variable "archive" {
  description = "Untouched envelopes under Object Lock; see the module audit_pipeline. Null keeps none."
  type = object({
    mode = optional(string, "GOVERNANCE")
    days = optional(number, 400)
  })
  default = null
}

variable "failure_bucket" {
  description = "The bucket for what could not be delivered; see the module audit_pipeline."
  type = object({
    expire_days   = optional(number, 400)
    lock_mode     = optional(string)
    lock_days     = optional(number, 30)
    force_destroy = optional(bool, false)
  })
  default = {}
}

variable "bots" {
  description = "Bots that get the right to write: name to role, and the log group of the bot's own execution log for its fallback lines."
  type = map(object({
    role_name                = optional(string)
    execution_log_group_name = optional(string)
  }))
  default = {}
}

variable "transformer_zip_path" {
  description = "Path of the Lambda's zip, as `make build` makes it."
  type        = string
}

variable "transformer_architecture" {
  description = "CPU of the Lambda, arm64 or x86_64; the zip has to be the one for it."
  type        = string
  default     = "arm64"
}

variable "transformer_memory_mb" {
  description = "Memory of the Lambda in MB."
  type        = number
  default     = 512
}

variable "transformer_timeout_s" {
  description = "Longest run of one invocation, 30 to 300 seconds."
  type        = number
  default     = 60
}

variable "transformer_concurrency" {
  description = "Reserved concurrency of the Lambda, 5 or more; -1 reserves none."
  type        = number
  default     = -1
}

variable "transformer_tracing" {
  description = "Whether X-Ray traces the Lambda."
  type        = bool
  default     = false
}

variable "transformer_vpc" {
  description = "Subnets and security groups of the Lambda; null runs it outside any VPC, which is what it needs."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "transformer_environment" {
  description = "Further AUDIT_ variables of the Lambda."
  type        = map(string)
  default     = {}
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms are sent to."
  type        = list(string)
  default     = []
}

variable "silence_hours" {
  description = "Alarm when no record arrived for so many hours; 0 switches it off."
  type        = number
  default     = 24
}

variable "canary_minutes" {
  description = "Alarm when no canary record was seen for so many minutes; 0 switches it off."
  type        = number
  default     = 0
}

variable "freshness_s" {
  description = "Alarm when the oldest record in a stream is older, 300 to 86,400 seconds."
  type        = number
  default     = 900
}

variable "runbook_url" {
  description = "Where the runbook is; each alarm links to its section."
  type        = string
  default     = "docs/runbook.md"
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
