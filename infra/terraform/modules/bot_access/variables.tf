variable "bot_name" {
  description = "Name of the bot as it writes it: 1 to 64 letters, digits, dots, underscores and dashes. A role shared by several bots has \"$${aws:PrincipalTag/bot_name}\"."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,64}$", var.bot_name)) || var.bot_name == "$${aws:PrincipalTag/bot_name}"
    error_message = "bot_name must have 1 to 64 letters, digits and . _ -, or be the principal tag."
  }
}

variable "role_name" {
  description = "Name of the bot's role, 1 to 64 characters, which gets the policy; null makes no attachment (use the output policy_json)."
  type        = string
  default     = null

  validation {
    condition     = var.role_name == null || can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "role_name must be the name of a role, not its ARN or path."
  }
}

variable "log_group_arn" {
  description = "ARN of the shared log group, from audit_pipeline; may be in another account."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:logs:[^:]+:\\d{12}:log-group:[^:*]+$", var.log_group_arn))
    error_message = "log_group_arn must be the ARN of a log group without a trailing colon and star."
  }
}

variable "execution_log_group_name" {
  description = "The bot's own log group. If given with fallback_streams, lines that the library writes there when CloudWatch's API fails reach the index by themselves."
  type        = string
  default     = null

  validation {
    condition     = var.execution_log_group_name == null || can(regex("^[.\\-_/#A-Za-z0-9]{1,512}$", var.execution_log_group_name))
    error_message = "execution_log_group_name must have 1 to 512 letters, digits and . - _ / #."
  }
}

variable "fallback_streams" {
  description = "What gets the fallback lines, two at most: destination to the ARN of a delivery stream (audit_pipeline) or of a destination in another account (central_account)."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.fallback_streams) <= 2
    error_message = "A log group takes two subscription filters: give two fallback_streams at most."
  }

  validation {
    condition     = alltrue([for name, arn in var.fallback_streams : can(regex("^[a-z]{1,20}$", name)) && can(regex("^arn:[^:]+:(firehose:[^:]+:\\d{12}:deliverystream/|logs:[^:]+:\\d{12}:destination:)[^:*]+$", arn))])
    error_message = "fallback_streams must map small letters to ARNs of delivery streams or of logs destinations."
  }
}

variable "subscription_role_arn" {
  description = "Role that CloudWatch Logs assumes to put: from audit_pipeline, or from sender_account for a destination shared with an organization. Null for a destination shared account by account."
  type        = string
  default     = null

  validation {
    condition     = var.subscription_role_arn == null || can(regex("^arn:[^:]+:iam::\\d{12}:role/", var.subscription_role_arn))
    error_message = "subscription_role_arn must be the ARN of a role."
  }
}

variable "refused_log_groups" {
  description = "Log groups that must not be subscribed because the pipeline would feed itself; from audit_pipeline."
  type        = list(string)
  default     = []
}
