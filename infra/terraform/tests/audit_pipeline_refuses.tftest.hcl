# Every validation of audit_pipeline refuses what AWS would refuse, or worse, would take.
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

variables {
  transformer_zip_path = "../../build/transformer-arm64.zip"
  splunk = {
    hec_endpoint = "https://hec.example.com:8088"
    secret_arn   = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chatbot-audit-hec-AbCdEf"
  }
}

run "refuses_set_1" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix              = ""
    log_group_name           = "/aws/ai bots"
    retention_days           = 100
    kms_key_arn              = "arn:aws:kms:eu-west-1:123456789012:alias/audit"
    filter_pattern           = join("", [for n in range(205) : "aaaaa"])
    transformer_zip_path     = "../../build/nothing.zip"
    transformer_architecture = "riscv"
    transformer_memory_mb    = 255
    transformer_timeout_s    = 29
    transformer_concurrency  = 4
    transformer_environment  = { PATH = "/tmp" }
    transformer_vpc          = { subnet_ids = [], security_group_ids = ["sg-1"] }
    alarm_topic_arns         = ["arn:aws:sqs:eu-west-1:123456789012:q"]
    silence_hours            = -1
    canary_minutes           = 9
    freshness_s              = 299
    runbook_url              = ""
    splunk                   = { secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", hec_endpoint = "hec.example.com" }
    opensearch               = { domain_arn = "chatbot-audit" }
    elastic                  = { secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", url = "http://x.example.com" }
    archive                  = { mode = "LEGAL" }
    failure_bucket           = { expire_days = 6 }
  }
  expect_failures = [var.name_prefix, var.log_group_name, var.retention_days, var.kms_key_arn, var.filter_pattern, var.transformer_zip_path, var.transformer_architecture, var.transformer_memory_mb, var.transformer_timeout_s, var.transformer_concurrency, var.transformer_environment, var.transformer_vpc, var.alarm_topic_arns, var.silence_hours, var.canary_minutes, var.freshness_s, var.runbook_url, var.splunk, var.opensearch, var.elastic, var.archive, var.failure_bucket]
}

run "refuses_set_2" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix              = "ab"
    log_group_name           = "/aws/ai-bots:x"
    retention_days           = 0
    kms_key_arn              = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    transformer_zip_path     = "main.tf"
    transformer_architecture = "amd64"
    transformer_memory_mb    = 10241
    transformer_timeout_s    = 301
    transformer_concurrency  = 0
    transformer_environment  = { AUDIT_DESTINATION = "splunk" }
    transformer_vpc          = { subnet_ids = ["subnet-1"], security_group_ids = ["a", "b", "c", "d", "e", "f"] }
    alarm_topic_arns         = [for n in range(6) : "arn:aws:sns:eu-west-1:123456789012:t${n}"]
    silence_hours            = 25
    canary_minutes           = 1441
    freshness_s              = 86401
    runbook_url              = join("", [for n in range(501) : "a"])
    splunk                   = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "chatbot-audit-hec" }
    opensearch               = { domain_arn = "arn:aws:aoss:eu-west-1:123456789012:collection/x" }
    elastic                  = { url = "https://chatbot-audit.es.example.com", secret_arn = "elastic" }
    archive                  = { days = 0 }
    failure_bucket           = { expire_days = 3651 }
  }
  expect_failures = [var.name_prefix, var.log_group_name, var.retention_days, var.kms_key_arn, var.transformer_zip_path, var.transformer_architecture, var.transformer_memory_mb, var.transformer_timeout_s, var.transformer_concurrency, var.transformer_environment, var.transformer_vpc, var.alarm_topic_arns, var.silence_hours, var.canary_minutes, var.freshness_s, var.runbook_url, var.splunk, var.opensearch, var.elastic, var.archive, var.failure_bucket]
}

run "refuses_set_3" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix             = "abcdefghij-abcdefghij"
    log_group_name          = ""
    retention_days          = -1
    transformer_environment = { AUDIT_RULES = join("", [for n in range(400) : "aaaaaaaaaa"]) }
    splunk                  = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/x" }
    opensearch              = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", index_name = "Audit" }
    elastic                 = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", retry_s = -1 }
    archive                 = { days = 36501 }
    failure_bucket          = { lock_mode = "legal" }
  }
  expect_failures = [var.name_prefix, var.log_group_name, var.retention_days, var.transformer_environment, var.splunk, var.opensearch, var.elastic, var.archive, var.failure_bucket]
}

run "refuses_set_4" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix    = "abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcde"
    log_group_name = join("", [for n in range(513) : "a"])
    splunk         = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", ack_timeout_s = 179 }
    opensearch     = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", index_name = "audit-*" }
    elastic        = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", retry_s = 7201 }
    failure_bucket = { lock_days = 0 }
  }
  expect_failures = [var.name_prefix, var.log_group_name, var.splunk, var.opensearch, var.elastic, var.failure_bucket]
}

run "refuses_set_5" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix    = "Chatbot-audit"
    splunk         = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", ack_timeout_s = 601 }
    opensearch     = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", index_name = join("", [for n in range(81) : "a"]) }
    elastic        = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", buffer_mb = 0 }
    failure_bucket = { lock_days = 36501 }
  }
  expect_failures = [var.name_prefix, var.splunk, var.opensearch, var.elastic, var.failure_bucket]
}

run "refuses_set_6" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix = "1chatbot"
    splunk      = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", retry_s = -1 }
    opensearch  = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", retry_s = -1 }
    elastic     = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", buffer_mb = 65 }
  }
  expect_failures = [var.name_prefix, var.splunk, var.opensearch, var.elastic]
}

run "refuses_set_7" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix = "chatbot-"
    splunk      = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", retry_s = 7201 }
    opensearch  = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", retry_s = 7201 }
    elastic     = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", buffer_interval_s = -1 }
  }
  expect_failures = [var.name_prefix, var.splunk, var.opensearch, var.elastic]
}

run "refuses_set_8" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    name_prefix = "chatbot_audit"
    splunk      = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", buffer_mb = 0 }
    opensearch  = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", buffer_mb = 0 }
    elastic     = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", buffer_interval_s = 901 }
  }
  expect_failures = [var.name_prefix, var.splunk, var.opensearch, var.elastic]
}

run "refuses_set_9" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk     = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", buffer_mb = 6 }
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", buffer_mb = 10 }
    elastic    = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", datastream = "chatbot-audit" }
  }
  expect_failures = [var.splunk, var.opensearch, var.elastic]
}

run "refuses_set_10" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk     = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", buffer_interval_s = -1 }
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", buffer_mb = 100, http_limit_mb = 100 }
    elastic    = { url = "https://chatbot-audit.es.example.com", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:elastic-AbCdEf", datastream = "logs-Chatbot-default" }
  }
  expect_failures = [var.splunk, var.opensearch, var.elastic]
}

run "refuses_set_11" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk     = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", buffer_interval_s = 61 }
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", http_limit_mb = 50 }
  }
  expect_failures = [var.splunk, var.opensearch]
}

run "refuses_set_12" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk     = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", index = "Audit" }
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", buffer_interval_s = -1 }
  }
  expect_failures = [var.splunk, var.opensearch]
}

run "refuses_set_13" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    splunk     = { hec_endpoint = "https://hec.example.com:8088", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hec-AbCdEf", content_index = "audit*" }
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", buffer_interval_s = 901 }
  }
  expect_failures = [var.splunk, var.opensearch]
}

run "refuses_set_14" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", vpc = { subnet_ids = [], security_group_ids = ["sg-1"] } }
  }
  expect_failures = [var.opensearch]
}

run "refuses_set_15" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", vpc = { subnet_ids = ["subnet-1"], security_group_ids = [] } }
  }
  expect_failures = [var.opensearch]
}

run "refuses_set_16" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", vpc = { subnet_ids = [for n in range(17) : "subnet-${n}"], security_group_ids = ["sg-1"] } }
  }
  expect_failures = [var.opensearch]
}

run "refuses_set_17" {
  command = plan
  module {
    source = "./modules/audit_pipeline"
  }
  variables {
    opensearch = { domain_arn = "arn:aws:es:eu-west-1:123456789012:domain/chatbot-audit", vpc = { subnet_ids = ["subnet-1"], security_group_ids = [for n in range(6) : "sg-${n}"] } }
  }
  expect_failures = [var.opensearch]
}
