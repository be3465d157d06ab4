# What audit_pipeline makes, and what it refuses to make.

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
}

run "splunk_alone" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.splunk[0].splunk_configuration[0].hec_endpoint_type == "Event"
    error_message = "Splunk's stream has to use the event endpoint."
  }
  assert {
    condition     = length(aws_kinesis_firehose_delivery_stream.opensearch) + length(aws_kinesis_firehose_delivery_stream.elastic) + length(aws_kinesis_firehose_delivery_stream.archive) == 0
    error_message = "Only the streams that are asked for are made."
  }
  assert {
    condition     = aws_kinesis_firehose_delivery_stream.splunk[0].splunk_configuration[0].hec_token == null
    error_message = "No token passes through Terraform."
  }
  assert {
    condition     = aws_kinesis_firehose_delivery_stream.splunk[0].splunk_configuration[0].secrets_manager_configuration[0].secret_arn == var.splunk.secret_arn
    error_message = "Firehose reads the token out of the secret."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.transformer["splunk"].policy).Statement[*].Action == [["logs:CreateLogStream", "logs:PutLogEvents"], ["firehose:PutRecordBatch"]]
    error_message = "The transformer writes its log and puts back, no more."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.transformer["splunk"].policy).Statement[1].Resource == ["arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk"]
    error_message = "The transformer puts back into its own stream only."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.subscription.policy).Statement[*].Action == [["firehose:PutRecord"]]
    error_message = "CloudWatch Logs puts, no more."
  }
  assert {
    condition = flatten(jsondecode(aws_iam_role_policy.firehose["splunk"].policy).Statement[*].Action) == [
      "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject",
      "lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "logs:PutLogEvents", "secretsmanager:GetSecretValue",
    ]
    error_message = "Firehose keeps failures, transforms, logs and reads its token, no more."
  }
  assert {
    condition     = aws_lambda_function.transformer["splunk"].reserved_concurrent_executions == -1 && length(aws_lambda_function.transformer["splunk"].vpc_config) == 0
    error_message = "Concurrency is not reserved, and there is no VPC, unless asked."
  }
  assert {
    condition     = length(aws_cloudwatch_log_group.protected) == 1 && length(aws_cloudwatch_log_group.unprotected) == 0
    error_message = "The log group is protected by default."
  }
  assert {
    condition     = output.firehose_cidrs == ["34.241.197.32/27", "34.241.197.64/27", "34.241.197.96/27"]
    error_message = "The addresses are those of the Region."
  }
}

run "everything_that_is_optional" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    create_kms_key          = true
    transformer_concurrency = 10
    transformer_tracing     = true
    transformer_vpc         = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    transformer_environment = { AUDIT_MAX_TEXT_BYTES = "100000" }
    splunk = {
      hec_endpoint       = "https://hec.example.com:8088"
      secret_arn         = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit-hec-AbCdEf"
      secret_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
      index              = "chatbot_audit"
    }
  }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.splunk[0].server_side_encryption[0].key_type == "CUSTOMER_MANAGED_CMK"
    error_message = "The stream is encrypted with the key that is made."
  }
  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation
    error_message = "The key rotates."
  }
  assert {
    condition     = aws_lambda_function.transformer["splunk"].reserved_concurrent_executions == 10 && aws_lambda_function.transformer["splunk"].tracing_config[0].mode == "Active" && aws_lambda_function.transformer["splunk"].vpc_config[0].subnet_ids == toset(["subnet-1"])
    error_message = "Concurrency, tracing and VPC are as asked for."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.transformer["splunk"].policy).Statement[*].Sid == ["WriteOwnLog", "PutBack", "Trace", "NetworkInterfaces"]
    error_message = "Tracing and a VPC bring their own statements."
  }
  assert {
    condition     = aws_lambda_function.transformer["splunk"].environment[0].variables["AUDIT_SPLUNK_INDEX"] == "chatbot_audit" && aws_lambda_function.transformer["splunk"].environment[0].variables["AUDIT_MAX_TEXT_BYTES"] == "100000"
    error_message = "Settings reach the function."
  }
}

run "an_archive" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    filter_pattern = "{ $.outcome = * }"
    archive        = { mode = "COMPLIANCE", days = 2557 }
  }

  assert {
    condition     = aws_cloudwatch_log_subscription_filter.archive[0].filter_pattern == "" && aws_cloudwatch_log_subscription_filter.this["splunk"].filter_pattern == "{ $.outcome = * }"
    error_message = "The archive takes every line, whatever the destinations take."
  }
  assert {
    condition     = length(aws_kinesis_firehose_delivery_stream.archive[0].extended_s3_configuration[0].processing_configuration) == 0
    error_message = "Nothing touches the envelopes of the archive."
  }
  assert {
    condition     = aws_s3_bucket.this["archive"].object_lock_enabled && aws_s3_bucket_object_lock_configuration.this["archive"].rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.this["archive"].rule[0].default_retention[0].days == 2557
    error_message = "The archive's bucket is locked as asked for."
  }
  assert {
    condition     = !aws_s3_bucket.this["archive"].force_destroy && length(aws_s3_bucket_lifecycle_configuration.this["archive"].rule) == 1
    error_message = "The archive neither expires nor is destroyed with what is in it."
  }
  assert {
    condition     = sort(jsondecode(aws_iam_role_policy.subscription.policy).Statement[0].Resource) == tolist(["arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-archive", "arn:aws:firehose:eu-west-1:123456789012:deliverystream/chatbot-audit-splunk"])
    error_message = "CloudWatch Logs may put into the archive too."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.archive[0].policy).Statement[*].Sid == ["KeepEnvelopes", "LogErrors"]
    error_message = "The archive's role keeps envelopes and says why it fails."
  }
}

run "names_at_the_limit" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix = "abcdefghij-abcdefghi"
    splunk      = null
    opensearch  = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit" }
    archive     = {}
  }

  assert {
    condition     = alltrue([for role in concat([aws_iam_role.subscription], values(aws_iam_role.firehose), values(aws_iam_role.transformer), aws_iam_role.archive) : length(role.name) <= 64])
    error_message = "Names of roles have at most 64 characters."
  }
  assert {
    condition     = alltrue([for function in aws_lambda_function.transformer : length(function.function_name) <= 64])
    error_message = "Names of functions have at most 64 characters."
  }
  assert {
    condition     = alltrue([for stream in concat(aws_kinesis_firehose_delivery_stream.opensearch, aws_kinesis_firehose_delivery_stream.archive) : length(stream.name) <= 64])
    error_message = "Names of streams have at most 64 characters."
  }
  assert {
    # The longest Region's name has 14 characters, this one's has 9.
    condition     = alltrue([for bucket in aws_s3_bucket.this : length(bucket.bucket) <= 63 - 5])
    error_message = "Names of buckets have at most 63 characters."
  }
}

run "values_at_the_lower_limits" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix             = "abc"
    retention_days          = 1
    transformer_memory_mb   = 256
    transformer_timeout_s   = 30
    transformer_concurrency = 5
    silence_hours           = 0
    canary_minutes          = 10
    freshness_s             = 300
    splunk = {
      hec_endpoint      = "https://hec.example.com:8088"
      secret_arn        = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf"
      ack_timeout_s     = 180
      retry_s           = 0
      buffer_mb         = 1
      buffer_interval_s = 0
    }
    opensearch     = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", index_name = "a", retry_s = 0, buffer_mb = 1, buffer_interval_s = 0 }
    failure_bucket = { expire_days = 7, lock_mode = "GOVERNANCE", lock_days = 1 }
  }

  assert {
    condition     = length([for name in output.alarm_names : name if startswith(name, "abc-silence") || startswith(name, "abc-canary")]) == 2
    error_message = "Silence is switched off by 0; each destination has a canary."
  }
}

run "values_at_the_upper_limits" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    log_group_name          = join("", [for n in range(128) : "abcd"])
    retention_days          = 3653
    transformer_memory_mb   = 10240
    transformer_timeout_s   = 300
    silence_hours           = 24
    canary_minutes          = 1440
    freshness_s             = 86400
    filter_pattern          = join("", [for n in range(256) : "abcd"])
    runbook_url             = "https://example.com/${join("", [for n in range(48) : "abcdefghij"])}"
    alarm_topic_arns        = [for n in range(5) : "arn:aws:sns:eu-west-1:123456789012:t${n}"]
    transformer_environment = { AUDIT_RULES = join("", [for n in range(340) : "abcdefghij"]) }
    splunk                  = null
    opensearch = {
      domain_arn        = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit"
      index_name        = join("", [for n in range(20) : "abcd"])
      retry_s           = 7200
      http_limit_mb     = 100
      buffer_mb         = 99
      buffer_interval_s = 900
      vpc               = { subnet_ids = [for n in range(16) : "subnet-${n}"], security_group_ids = [for n in range(5) : "sg-${n}"] }
    }
    elastic        = { url = "https://x.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", retry_s = 7200, buffer_mb = 64, buffer_interval_s = 900 }
    failure_bucket = { expire_days = 3650, lock_mode = "COMPLIANCE", lock_days = 36500 }
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_description) <= 1024])
    error_message = "An alarm's description has at most 1,024 characters."
  }
  assert {
    condition     = aws_kinesis_firehose_delivery_stream.opensearch[0].opensearch_configuration[0].buffering_size == 99
    error_message = "The buffer is as asked for."
  }
}

run "a_region_whose_addresses_are_not_known" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  override_data {
    target = data.aws_region.current
    values = { id = "il-central-1" }
  }

  assert {
    condition     = output.firehose_cidrs == []
    error_message = "No addresses rather than wrong ones."
  }
}

run "a_partition_of_its_own" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-us-gov" }
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.firehose["splunk"].policy, "arn:aws:s3") && strcontains(aws_iam_role_policy.firehose["splunk"].policy, "arn:aws-us-gov:s3")
    error_message = "ARNs are those of the partition."
  }
}

run "three_destinations_are_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit" }
    elastic    = { url = "https://x.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf" }
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "two_destinations_and_an_archive_are_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit" }
    archive    = {}
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "no_destination_is_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk = null
  }
  expect_failures = [aws_iam_role_policy.subscription]
}

run "the_transformers_own_log_group_is_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    log_group_name = "/aws/lambda/chatbot-audit-transformer-splunk"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "firehoses_error_group_is_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    log_group_name = "/aws/kinesisfirehose/chatbot-audit-splunk"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "any_functions_log_group_is_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    log_group_name = "/aws/lambda/VeraResearch"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "a_bots_execution_log_is_refused" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    log_group_name            = "/bots/vera"
    execution_log_group_names = ["/bots/hr", "/bots/vera"]
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this]
}

run "the_archive_refuses_the_same" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    archive        = {}
    log_group_name = "/aws/kinesisfirehose/chatbot-audit-archive"
  }
  expect_failures = [aws_cloudwatch_log_subscription_filter.this, aws_cloudwatch_log_subscription_filter.archive]
}

run "an_endpoint_without_tls_is_warned_of" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk = {
      hec_endpoint = "http://hec.example.com:8088"
      secret_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf"
    }
  }
  expect_failures = [check.splunk_endpoint]
}

run "a_zip_for_another_cpu_is_warned_of" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    transformer_architecture = "x86_64"
  }
  expect_failures = [check.transformer_zip]
}
