variable "name" {
  description = "Name of the destination that log groups of other accounts subscribe to; 1 to 43 characters, so that the role's name fits."
  type        = string
  default     = "chatbot-audit"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,43}$", var.name))
    error_message = "name must have 1 to 43 letters, digits and . _ -."
  }
}

variable "delivery_stream_arn" {
  description = "Stream in this account that gets the records, from audit_pipeline."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:firehose:[^:]+:\\d{12}:deliverystream/", var.delivery_stream_arn))
    error_message = "delivery_stream_arn must be the ARN of a delivery stream."
  }
}

variable "source_account_ids" {
  description = "Accounts whose log groups may subscribe, 100 at most; ignored where organization_id is given."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.source_account_ids : can(regex("^\\d{12}$", id))])
    error_message = "source_account_ids must be twelve digits each."
  }

  validation {
    condition     = length(var.source_account_ids) <= 100
    error_message = "source_account_ids takes 100 accounts: beyond that share with organization_id."
  }
}

variable "organization_id" {
  description = "Organization all of whose accounts may subscribe, such as o-a1b2c3d4e5; null names accounts one by one."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id must look like o-a1b2c3d4e5."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
