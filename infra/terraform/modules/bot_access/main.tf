locals {
  shared_role = "$${aws:PrincipalTag/bot_name}"

  # A stream is named {bot_name}/{session_id}: the prefix is what bounds a bot.
  own_streams = "${var.log_group_arn}:log-stream:${var.bot_name}/*"

  # Needs no right to a key: CloudWatch Logs encrypts with its own.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteOwnAuditStream"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [local.own_streams]
    }]
  })

  # One role may have several bots: their policies must not replace each other.
  policy_name = "write-audit-records-${var.bot_name == local.shared_role ? "own" : var.bot_name}"

  # A destination of another account (central_account) is put into by that account.
  is_central = { for name, arn in var.fallback_streams : name => can(regex(":logs:[^:]+:\\d{12}:destination:", arn)) }
}

resource "aws_iam_role_policy" "this" {
  count = var.role_name == null ? 0 : 1

  name   = local.policy_name
  role   = var.role_name
  policy = local.policy
}

resource "aws_cloudwatch_log_subscription_filter" "fallback" {
  for_each = var.execution_log_group_name == null ? {} : var.fallback_streams

  # The transformer believes a fallback line only if the filter's name, which AWS puts
  # into the envelope, names the bot. Names are unique in a log group: where there are
  # two filters, the destination follows.
  name            = length(var.fallback_streams) == 1 ? "chatbot-audit-fallback-${var.bot_name}" : "chatbot-audit-fallback-${var.bot_name}/${each.key}"
  log_group_name  = var.execution_log_group_name
  filter_pattern  = "BOT_AUDIT_FALLBACK"
  destination_arn = each.value
  role_arn        = var.subscription_role_arn

  lifecycle {
    precondition {
      condition     = local.is_central[each.key] || var.subscription_role_arn != null
      error_message = "fallback_streams in this account need subscription_role_arn."
    }
    precondition {
      condition     = !endswith(var.log_group_arn, ":${coalesce(var.execution_log_group_name, "-")}")
      error_message = "execution_log_group_name is the bot's own log group, not the shared one."
    }
    precondition {
      condition     = !contains(var.refused_log_groups, coalesce(var.execution_log_group_name, "-")) && !startswith(coalesce(var.execution_log_group_name, "-"), "/aws/kinesisfirehose/")
      error_message = "execution_log_group_name is one of the pipeline's own log groups: the pipeline would feed itself."
    }
    precondition {
      condition     = var.bot_name != local.shared_role
      error_message = "A fallback filter vouches for one bot: give its name, not the tag of a shared role."
    }
  }
}
