variable "name_prefix" {
  description = "Begins the names of filters and role; 3 to 20 characters."
  type        = string
  default     = "chatbot-audit"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix must have 3 to 20 small letters, digits and dashes, and begin with a letter."
  }
}

variable "log_group_name" {
  description = "Name of the log group that the bots of this account write to."
  type        = string
  default     = "/aws/ai-bots/audit-logs"

  validation {
    condition     = can(regex("^[.\\-_/#A-Za-z0-9]{1,512}$", var.log_group_name))
    error_message = "log_group_name must have 1 to 512 letters, digits and . - _ / #."
  }
}

variable "retention_days" {
  description = "Days that the log group keeps records; one of the values CloudWatch Logs knows."
  type        = number
  default     = 400

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "retention_days must be a value that CloudWatch Logs knows, such as 180, 365, 400 or 731."
  }
}

variable "kms_key_arn" {
  description = "ARN of a symmetric key of yours for the log group; its policy has to allow CloudWatch Logs. Null uses AWS's own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:\\d{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key."
  }
}

variable "destination_arns" {
  description = "Destinations of the central account, one or two: a name in small letters to the output destination_arn of central_account."
  type        = map(string)

  validation {
    condition     = length(var.destination_arns) >= 1 && length(var.destination_arns) <= 2
    error_message = "A log group takes two subscription filters: give one or two destination_arns."
  }

  validation {
    condition     = alltrue([for name, arn in var.destination_arns : can(regex("^[a-z]{1,20}$", name)) && can(regex("^arn:[^:]+:logs:[^:]+:\\d{12}:destination:[^:*]+$", arn))])
    error_message = "destination_arns must map small letters to ARNs of logs destinations."
  }
}

variable "use_role" {
  description = "Whether the filters need a role: the output sender_needs_role of central_account."
  type        = bool
  default     = false
}

variable "execution_log_group_names" {
  description = "Log groups of the bots' own execution logs that have fallback filters: the role may send from them too."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.execution_log_group_names : can(regex("^[.\\-_/#A-Za-z0-9]{1,512}$", name))])
    error_message = "execution_log_group_names must have 1 to 512 letters, digits and . - _ / # each."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
