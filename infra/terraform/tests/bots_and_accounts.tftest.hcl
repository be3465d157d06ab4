# Rights and fallback filters of bots, one by one and by the hundred.

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

variables {
  transformer_zip_path = "tests/fixtures/arm64.zip"
  splunk = {
    hec_endpoint = "https://hec.example.com:8088"
    secret_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit-hec-AbCdEf"
  }
  bot_name                 = "VeraResearch"
  log_group_arn            = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs"
  execution_log_group_name = "/aws/lambda/VeraResearch"
  fallback_streams         = { splunk = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk" }
  subscription_role_arn    = "arn:aws:iam::123456789012:role/chatbot-audit-subscription"
}

run "two_hundred_bots" {
  command = plan
  variables {
    bots = { for n in range(200) : "bot-${n}" => { role_name = "role-${n}", execution_log_group_name = "/aws/lambda/bot-${n}" } }
  }

  assert {
    condition     = length(output.bot_policies) == 200
    error_message = "Every bot has its policy."
  }
  assert {
    condition     = alltrue([for name, policy in output.bot_policies : jsondecode(policy).Statement[*].Resource == [["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs:log-stream:${name}/*"]]])
    error_message = "Each bot writes its own streams only."
  }
  assert {
    condition     = alltrue([for policy in values(output.bot_policies) : length(policy) < 6144])
    error_message = "Policies stay below 6,144 characters."
  }
}

run "one_bot" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    role_name = "VeraResearch-execution"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.this[0].policy).Statement[*].Action == [["logs:CreateLogStream", "logs:PutLogEvents"]]
    error_message = "A bot creates its stream and writes, no more."
  }
  assert {
    condition     = aws_cloudwatch_log_subscription_filter.fallback["splunk"].name == "chatbot-audit-fallback-VeraResearch"
    error_message = "The filter's name vouches for the bot."
  }
  assert {
    condition     = aws_cloudwatch_log_subscription_filter.fallback["splunk"].filter_pattern == "BOT_AUDIT_FALLBACK"
    error_message = "Only lines with the marker are taken."
  }
}

run "a_role_without_attachment" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    execution_log_group_name = null
  }

  assert {
    condition     = length(aws_iam_role_policy.this) == 0 && length(aws_cloudwatch_log_subscription_filter.fallback) == 0 && output.policy_json != ""
    error_message = "Nothing is made; the policy is given out."
  }
}

run "a_role_of_many_bots" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name                 = "$${aws:PrincipalTag/bot_name}"
    role_name                = "bots"
    execution_log_group_name = null
  }

  assert {
    condition     = jsondecode(output.policy_json).Statement[0].Resource == ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ai-bots/audit-logs:log-stream:$${aws:PrincipalTag/bot_name}/*"]
    error_message = "The session's tag bounds the stream."
  }
  assert {
    condition     = length(output.policy_json) < 6144 && aws_iam_role_policy.this[0].name == "write-audit-records-own"
    error_message = "The policy is short, and its name legal."
  }
}

run "the_longest_name" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name  = join("", [for n in range(16) : "abcd"])
    role_name = "bots"
  }

  assert {
    condition     = length(aws_iam_role_policy.this[0].name) <= 128
    error_message = "A policy's name has at most 128 characters."
  }
  assert {
    condition     = length(aws_cloudwatch_log_subscription_filter.fallback["splunk"].name) <= 512
    error_message = "A filter's name has at most 512 characters."
  }
}

run "two_streams" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    fallback_streams = { for name in ["splunk", "elastic"] : name => "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-${name}" }
  }

  assert {
    condition     = [for filter in aws_cloudwatch_log_subscription_filter.fallback : filter.name] == ["chatbot-audit-fallback-VeraResearch/elastic", "chatbot-audit-fallback-VeraResearch/splunk"]
    error_message = "Each filter has a name of its own that vouches for the bot."
  }
}

run "a_destination_of_another_account" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    fallback_streams      = { splunk = "arn:aws:logs:eu-west-1:123456789012:destination:chatbot-audit-splunk" }
    subscription_role_arn = null
  }

  assert {
    condition     = aws_cloudwatch_log_subscription_filter.fallback["splunk"].destination_arn == var.fallback_streams["splunk"]
    error_message = "A destination that names accounts needs no role."
  }
}

run "a_key_adds_nothing" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    bots        = { VeraResearch = {} }
  }

  assert {
    condition     = length(jsondecode(output.bot_policies["VeraResearch"]).Statement) == 1
    error_message = "Bots need no right to the key: CloudWatch Logs encrypts."
  }
}

run "a_stream_without_role_is_refused" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    subscription_role_arn = null
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.fallback]
}

run "the_shared_log_group_is_refused" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    execution_log_group_name = "/aws/ai-bots/audit-logs"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.fallback]
}

run "the_pipelines_own_log_group_is_refused" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    execution_log_group_name = "/aws/lambda/chatbot-audit-transformer-splunk"
    refused_log_groups       = ["/aws/lambda/chatbot-audit-transformer-splunk"]
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.fallback]
}

run "firehoses_error_group_is_refused" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    execution_log_group_name = "/aws/kinesisfirehose/chatbot-audit-splunk"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.fallback]
}

run "a_fallback_of_a_shared_role_is_refused" {
  command = plan
  module {
    source = "./modules/bot_access"
  }
  variables {
    bot_name = "$${aws:PrincipalTag/bot_name}"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.fallback]
}

run "nobody_to_share_with_is_refused" {
  command = plan
  module {
    source = "./modules/central_account"
  }
  variables {
    delivery_stream_arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk"
  }
  expect_failures = [aws_cloudwatch_log_destination.this]
}

run "a_senders_own_recursion_is_refused" {
  command = plan
  module {
    source = "./modules/sender_account"
  }
  variables {
    destination_arns          = { splunk = "arn:aws:logs:eu-west-1:123456789012:destination:chatbot-audit-splunk" }
    log_group_name            = "/bots/vera"
    execution_log_group_names = ["/bots/vera"]
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "the_longest_destination" {
  command = plan
  module {
    source = "./modules/central_account"
  }
  variables {
    name                = "abcdefghij-abcdefghij-abcdefghij-abcdefghij"
    delivery_stream_arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk"
    source_account_ids  = ["210987654321"]
  }

  assert {
    condition     = length(aws_iam_role.this.name) == 64
    error_message = "The role's name just fits."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[*].Action == [["firehose:PutRecord"]]
    error_message = "CloudWatch Logs puts into the stream, no more."
  }
}
