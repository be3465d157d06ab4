variable "name_prefix" {
  description = "Begins the name of everything that is made; at most 20 characters, so that derived names stay within AWS's 64."
  type        = string
  default     = "chatbot-audit"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must have 3 to 20 small letters, digits and dashes, and begin with a letter."
  }
}

variable "log_group_name" {
  description = "Name of the shared log group that all bots write to."
  type        = string
  default     = "/aws/ai-bots/audit-logs"

  validation {
    condition     = can(regex("^[.\\-_/#A-Za-z0-9]{1,512}$", var.log_group_name))
    error_message = "log_group_name must have 1 to 512 letters, digits and . - _ / #."
  }
}

variable "execution_log_group_names" {
  description = "Log groups of the bots' own execution logs, which the shared log group must not be."
  type        = list(string)
  default     = []
}

variable "retention_days" {
  description = "Days that the log group keeps records; one of the values CloudWatch Logs knows. Half a year is the floor of the EU AI Act."
  type        = number
  default     = 400

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "retention_days must be a value that CloudWatch Logs knows, such as 365, 400 or 731."
  }
}

variable "protect_log_group" {
  description = "Whether terraform refuses to destroy the log group."
  type        = bool
  default     = true
}

variable "create_kms_key" {
  description = "Whether to make a key for the log group and the buckets. Ignored where kms_key_arn is given."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of a symmetric key of yours for the log group and the buckets; its policy has to allow CloudWatch Logs. Null uses AWS's own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key."
  }
}

variable "filter_pattern" {
  description = "Which lines are forwarded; empty forwards all. At most 1,024 characters."
  type        = string
  default     = ""

  validation {
    condition     = length(var.filter_pattern) <= 1024
    error_message = "filter_pattern must have at most 1,024 characters."
  }
}

variable "splunk" {
  description = <<-EOT
    Delivery to Splunk's HTTP Event Collector, or null.
    hec_endpoint: https URL. secret_arn: Secrets Manager secret with {"hec_token": "..."}, made out of band; the token needs acknowledgement on.
    secret_kms_key_arn: key of that secret, if it is your own. ack_timeout_s: 180 to 600. retry_s: 0 to 7,200.
    buffer_mb: 1 to 5. buffer_interval_s: 0 to 60. index, content_index: names of indexes, empty for the token's own.
  EOT
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

  validation {
    condition     = var.splunk == null || can(regex("^https?://", var.splunk.hec_endpoint))
    error_message = "splunk.hec_endpoint must be a URL."
  }

  validation {
    condition     = var.splunk == null || can(regex("^arn:[^:]+:secretsmanager:[^:]+:\\d{12}:secret:", var.splunk.secret_arn))
    error_message = "splunk.secret_arn must be the ARN of a Secrets Manager secret."
  }

  validation {
    condition     = var.splunk == null || try(var.splunk.ack_timeout_s >= 180 && var.splunk.ack_timeout_s <= 600, false)
    error_message = "splunk.ack_timeout_s must be 180 to 600 seconds."
  }

  validation {
    condition     = var.splunk == null || try(var.splunk.retry_s >= 0 && var.splunk.retry_s <= 7200, false)
    error_message = "splunk.retry_s must be 0 to 7,200 seconds."
  }

  validation {
    condition     = var.splunk == null || try(var.splunk.buffer_mb >= 1 && var.splunk.buffer_mb <= 5 && var.splunk.buffer_interval_s >= 0 && var.splunk.buffer_interval_s <= 60, false)
    error_message = "splunk buffers must be 1 to 5 MB and 0 to 60 seconds."
  }

  validation {
    condition     = var.splunk == null || try(alltrue([for name in [var.splunk.index, var.splunk.content_index] : name == "" || can(regex("^[a-z0-9_][a-z0-9_-]{0,79}$", name))]), false)
    error_message = "splunk.index and splunk.content_index must have at most 80 small letters, digits, dashes and underscores."
  }
}

variable "opensearch" {
  description = <<-EOT
    Delivery to an OpenSearch Service domain, or null.
    domain_arn: of the domain. index_name: the write alias that the ingest pipeline routes; at most 80 characters.
    retry_s: 0 to 7,200. http_limit_mb: the largest request the domain takes, 10 on small nodes and 100 on others.
    buffer_mb: 1 to 99, below http_limit_mb. buffer_interval_s: 0 to 900.
    vpc: 1 to 16 subnets and 1 to 5 security groups, for a domain inside a VPC.
  EOT
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

  validation {
    condition     = var.opensearch == null || can(regex("^arn:[^:]+:es:[^:]+:\\d{12}:domain/", var.opensearch.domain_arn))
    error_message = "opensearch.domain_arn must be the ARN of a domain."
  }

  validation {
    condition     = var.opensearch == null || can(regex("^[a-z0-9][a-z0-9_-]{0,79}$", var.opensearch.index_name))
    error_message = "opensearch.index_name must have 1 to 80 small letters, digits, dashes and underscores."
  }

  validation {
    condition     = var.opensearch == null || try(var.opensearch.retry_s >= 0 && var.opensearch.retry_s <= 7200, false)
    error_message = "opensearch.retry_s must be 0 to 7,200 seconds."
  }

  validation {
    condition     = var.opensearch == null || try(contains([10, 100], var.opensearch.http_limit_mb) && var.opensearch.buffer_mb >= 1 && var.opensearch.buffer_mb < var.opensearch.http_limit_mb, false)
    error_message = "opensearch.http_limit_mb must be 10 or 100, and opensearch.buffer_mb at least 1 and below it: the domain refuses larger requests."
  }

  validation {
    condition     = var.opensearch == null || try(var.opensearch.buffer_interval_s >= 0 && var.opensearch.buffer_interval_s <= 900, false)
    error_message = "opensearch.buffer_interval_s must be 0 to 900 seconds."
  }

  validation {
    condition     = try(var.opensearch.vpc, null) == null || try(length(var.opensearch.vpc.subnet_ids) >= 1 && length(var.opensearch.vpc.subnet_ids) <= 16 && length(var.opensearch.vpc.security_group_ids) >= 1 && length(var.opensearch.vpc.security_group_ids) <= 5, false)
    error_message = "opensearch.vpc must have 1 to 16 subnets and 1 to 5 security groups."
  }
}

variable "elastic" {
  description = <<-EOT
    Delivery to Elastic's Firehose endpoint, or null.
    url: https URL of the Elasticsearch endpoint. secret_arn: Secrets Manager secret with {"api_key": "..."}, made out of band.
    secret_kms_key_arn: key of that secret, if it is your own. datastream: where documents go. retry_s: 0 to 7,200.
    buffer_mb: 1 to 64; Elastic asks for 1. buffer_interval_s: 0 to 900.
  EOT
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

  validation {
    condition     = var.elastic == null || can(regex("^https://", var.elastic.url))
    error_message = "elastic.url must be an https URL."
  }

  validation {
    condition     = var.elastic == null || can(regex("^arn:[^:]+:secretsmanager:[^:]+:\\d{12}:secret:", var.elastic.secret_arn))
    error_message = "elastic.secret_arn must be the ARN of a Secrets Manager secret."
  }

  validation {
    condition     = var.elastic == null || try(var.elastic.retry_s >= 0 && var.elastic.retry_s <= 7200, false)
    error_message = "elastic.retry_s must be 0 to 7,200 seconds."
  }

  validation {
    condition     = var.elastic == null || try(var.elastic.buffer_mb >= 1 && var.elastic.buffer_mb <= 64 && var.elastic.buffer_interval_s >= 0 && var.elastic.buffer_interval_s <= 900, false)
    error_message = "elastic buffers must be 1 to 64 MB and 0 to 900 seconds."
  }

  validation {
    condition     = var.elastic == null || can(regex("^(logs|metrics|traces)-[a-z0-9._]{1,100}-[a-z0-9._]{1,100}$", var.elastic.datastream))
    error_message = "elastic.datastream must be type-dataset-namespace, such as logs-chatbot.audit-default."
  }
}

variable "archive" {
  description = <<-EOT
    Untouched envelopes to a bucket under Object Lock, through a stream of its own, or null; counts as one of the two subscription filters of a log group.
    mode: GOVERNANCE or COMPLIANCE. days: 1 to 36,500, how long nobody can delete.
  EOT
  type = object({
    mode = optional(string, "GOVERNANCE")
    days = optional(number, 400)
  })
  default = null

  validation {
    condition     = var.archive == null || try(contains(["GOVERNANCE", "COMPLIANCE"], var.archive.mode), false)
    error_message = "archive.mode must be GOVERNANCE or COMPLIANCE."
  }

  validation {
    condition     = var.archive == null || try(var.archive.days >= 1 && var.archive.days <= 36500, false)
    error_message = "archive.days must be 1 to 36,500."
  }
}

variable "failure_bucket" {
  description = <<-EOT
    The bucket for what could not be delivered; processing-failed/ holds unredacted originals.
    expire_days: 7 to 3,650. lock_mode: null, GOVERNANCE or COMPLIANCE. lock_days: 1 to 36,500. force_destroy: whether terraform may delete a bucket that is not empty.
  EOT
  type = object({
    expire_days   = optional(number, 400)
    lock_mode     = optional(string)
    lock_days     = optional(number, 30)
    force_destroy = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.failure_bucket.expire_days >= 7 && var.failure_bucket.expire_days <= 3650
    error_message = "failure_bucket.expire_days must be 7 to 3,650."
  }

  validation {
    condition     = var.failure_bucket.lock_mode == null || try(contains(["GOVERNANCE", "COMPLIANCE"], var.failure_bucket.lock_mode), false)
    error_message = "failure_bucket.lock_mode must be GOVERNANCE, COMPLIANCE or null."
  }

  validation {
    condition     = var.failure_bucket.lock_days >= 1 && var.failure_bucket.lock_days <= 36500
    error_message = "failure_bucket.lock_days must be 1 to 36,500."
  }
}

variable "transformer_zip_path" {
  description = "Path of the Lambda's zip, as `make build` makes it."
  type        = string

  validation {
    condition     = endswith(var.transformer_zip_path, ".zip") && fileexists(var.transformer_zip_path)
    error_message = "transformer_zip_path must be a zip that exists: run `make build` first."
  }
}

variable "transformer_architecture" {
  description = "CPU of the Lambda; the zip has to be the one for it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.transformer_architecture)
    error_message = "transformer_architecture must be arm64 or x86_64."
  }
}

variable "transformer_memory_mb" {
  description = "Memory of the Lambda in MB; its share of a CPU grows with it."
  type        = number
  default     = 512

  validation {
    condition     = var.transformer_memory_mb >= 256 && var.transformer_memory_mb <= 10240
    error_message = "transformer_memory_mb must be 256 to 10,240."
  }
}

variable "transformer_timeout_s" {
  description = "Longest run of one invocation in seconds; Firehose waits 300 at most."
  type        = number
  default     = 60

  validation {
    condition     = var.transformer_timeout_s >= 30 && var.transformer_timeout_s <= 300
    error_message = "transformer_timeout_s must be 30 to 300."
  }
}

variable "transformer_concurrency" {
  description = "Reserved concurrency of the Lambda; -1 reserves none."
  type        = number
  default     = -1

  validation {
    condition     = var.transformer_concurrency == -1 || var.transformer_concurrency >= 5
    error_message = "transformer_concurrency must be -1 or at least 5: Firehose runs up to 5 (Splunk: 10) invocations at once."
  }
}

variable "transformer_environment" {
  description = "Further AUDIT_ variables of the Lambda, such as AUDIT_MAX_TEXT_BYTES; no secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(jsonencode(var.transformer_environment)) <= 3500
    error_message = "transformer_environment must have at most 3,500 characters: Lambda takes 4 KB with our own variables."
  }

  validation {
    condition     = alltrue([for name in keys(var.transformer_environment) : startswith(name, "AUDIT_") && name != "AUDIT_DESTINATION"])
    error_message = "transformer_environment takes AUDIT_ variables; AUDIT_DESTINATION is set by the destinations."
  }
}

variable "transformer_vpc" {
  description = "Subnets and security groups of the Lambda; null runs it outside any VPC, which is what it needs."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.transformer_vpc == null || try(length(var.transformer_vpc.subnet_ids) >= 1 && length(var.transformer_vpc.subnet_ids) <= 16 && length(var.transformer_vpc.security_group_ids) >= 1 && length(var.transformer_vpc.security_group_ids) <= 5, false)
    error_message = "transformer_vpc must have 1 to 16 subnets and 1 to 5 security groups."
  }
}

variable "transformer_tracing" {
  description = "Whether X-Ray traces the Lambda."
  type        = bool
  default     = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms are sent to, five at most; none makes the alarms without sending."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.alarm_topic_arns) <= 5 && alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[^:]+:sns:[^:]+:\\d{12}:", arn))])
    error_message = "alarm_topic_arns must be at most five ARNs of SNS topics."
  }
}

variable "silence_hours" {
  description = "Alarm when no record arrived for so many hours; 0 switches it off."
  type        = number
  default     = 24

  validation {
    condition     = var.silence_hours >= 0 && var.silence_hours <= 24
    error_message = "silence_hours must be 0 to 24: an alarm looks back one day at most."
  }
}

variable "canary_minutes" {
  description = "Alarm when no canary record was seen for so many minutes; 0 switches it off."
  type        = number
  default     = 0

  validation {
    condition     = var.canary_minutes == 0 || (var.canary_minutes >= 10 && var.canary_minutes <= 1440)
    error_message = "canary_minutes must be 0 or 10 to 1,440."
  }
}

variable "freshness_s" {
  description = "Alarm when the oldest record in a stream is older, in seconds."
  type        = number
  default     = 900

  validation {
    condition     = var.freshness_s >= 300 && var.freshness_s <= 86400
    error_message = "freshness_s must be 300 to 86,400."
  }
}

variable "runbook_url" {
  description = "Where the runbook is; each alarm links to its section. At most 500 characters."
  type        = string
  default     = "docs/runbook.md"

  validation {
    condition     = length(var.runbook_url) >= 1 && length(var.runbook_url) <= 500
    error_message = "runbook_url must have 1 to 500 characters: an alarm's description takes 1,024."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
