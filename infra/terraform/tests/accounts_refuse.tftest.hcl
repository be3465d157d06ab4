# Every validation of the modules for bots and for other accounts.
# Set n has the n-th bad value of each variable; terraform names a variable that passed.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
}

run "bot_access_refuses_set_1" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name                 = ""
    log_group_arn            = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs:*"
    role_name                = "arn:aws:iam::123456789012:role/x"
    execution_log_group_name = "/aws/lambda/a b"
    fallback_streams         = { for name in ["a", "b", "c"] : name => "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk" }
    subscription_role_arn    = "arn:aws:iam::123456789012:user/x"
  }
  expect_failures = [var.bot_name, var.role_name, var.log_group_arn, var.execution_log_group_name, var.fallback_streams, var.subscription_role_arn]
}

run "bot_access_refuses_set_2" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name         = "a/b"
    log_group_arn    = "/aws/ai-bots/audit-logs"
    role_name        = join("", [for n in range(65) : "a"])
    fallback_streams = { splunk = "chatbot-audit-splunk" }
  }
  expect_failures = [var.bot_name, var.role_name, var.log_group_arn, var.fallback_streams]
}

run "bot_access_refuses_set_3" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name         = "*"
    log_group_arn    = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs"
    fallback_streams = { "a/b" = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk" }
  }
  expect_failures = [var.bot_name, var.fallback_streams]
}

run "bot_access_refuses_set_4" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name         = "Vera?"
    log_group_arn    = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs"
    fallback_streams = { splunk = "arn:aws:lambda:eu-west-1:123456789012:function:x" }
  }
  expect_failures = [var.bot_name, var.fallback_streams]
}

run "bot_access_refuses_set_5" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name      = join("", [for n in range(65) : "a"])
    log_group_arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs"
  }
  expect_failures = [var.bot_name]
}

run "bot_access_refuses_set_6" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name      = "$${aws:username}"
    log_group_arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs"
  }
  expect_failures = [var.bot_name]
}

run "central_account_refuses_set_1" {
  command = plan
  module {
    source = "./modules/central_account"
  }
  variables {
    delivery_stream_arn = "arn:aws:lambda:eu-west-1:123456789012:function:x"
    source_account_ids  = ["12345"]
    name                = join("", [for n in range(44) : "a"])
    organization_id     = "example"
  }
  expect_failures = [var.name, var.delivery_stream_arn, var.source_account_ids, var.organization_id]
}

run "central_account_refuses_set_2" {
  command = plan
  module {
    source = "./modules/central_account"
  }
  variables {
    delivery_stream_arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk"
    source_account_ids  = ["*"]
    name                = "a:b"
    organization_id     = "r-a1b2"
  }
  expect_failures = [var.name, var.source_account_ids, var.organization_id]
}

run "central_account_refuses_set_3" {
  command = plan
  module {
    source = "./modules/central_account"
  }
  variables {
    delivery_stream_arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk"
    source_account_ids  = [for n in range(101) : format("%012d", n)]
  }
  expect_failures = [var.source_account_ids]
}

run "sender_account_refuses_set_1" {
  command = plan
  module {
    source = "./modules/sender_account"
  }
  variables {
    destination_arns          = {}
    name_prefix               = "abcdefghij-abcdefghij"
    log_group_name            = "a b"
    retention_days            = 100
    kms_key_arn               = "alias/x"
    execution_log_group_names = ["a b"]
  }
  expect_failures = [var.name_prefix, var.log_group_name, var.retention_days, var.kms_key_arn, var.destination_arns, var.execution_log_group_names]
}

run "sender_account_refuses_set_2" {
  command = plan
  module {
    source = "./modules/sender_account"
  }
  variables {
    destination_arns = { for name in ["a", "b", "c"] : name => "arn:aws:logs:eu-west-1:123456789012:destination:x" }
  }
  expect_failures = [var.destination_arns]
}

run "sender_account_refuses_set_3" {
  command = plan
  module {
    source = "./modules/sender_account"
  }
  variables {
    destination_arns = { splunk = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk" }
  }
  expect_failures = [var.destination_arns]
}
