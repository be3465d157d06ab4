# What Firehose calls from, for the allow list of a Splunk that is behind one: AWS's own
# list, "Controlling access with Amazon Data Firehose", read 2026-11.

locals {
  firehose_cidrs_by_region = {
    us-east-1      = ["34.238.188.128/26", "34.238.188.192/26", "34.238.195.0/26"]
    us-east-2      = ["18.216.68.160/27", "18.216.170.64/27", "18.216.170.96/27"]
    us-west-1      = ["13.57.180.0/26"]
    us-west-2      = ["34.216.24.32/27", "34.216.24.192/27", "34.216.24.224/27"]
    eu-west-1      = ["34.241.197.32/27", "34.241.197.64/27", "34.241.197.96/27"]
    eu-west-2      = ["18.130.91.0/26"]
    eu-west-3      = ["35.180.112.0/26"]
    eu-central-1   = ["18.194.95.192/27", "18.194.95.224/27", "18.195.48.0/27"]
    eu-north-1     = ["13.53.191.0/26"]
    ap-northeast-1 = ["13.230.21.0/27", "13.230.21.32/27"]
    ap-southeast-1 = ["13.229.187.128/26"]
    ap-southeast-2 = ["13.211.12.0/26"]
    ap-south-1     = ["13.232.67.64/26"]
    ca-central-1   = ["35.183.92.64/26"]
    sa-east-1      = ["18.228.1.192/26"]
    us-gov-east-1  = ["18.253.138.192/26"]
    us-gov-west-1  = ["52.61.204.192/26"]
  }
}

check "splunk_endpoint" {
  assert {
    condition     = var.splunk == null || startswith(try(var.splunk.hec_endpoint, ""), "https://")
    error_message = "splunk.hec_endpoint is not https: Firehose delivers to https endpoints with a certificate that verifies."
  }
}

# The build writes what a zip is for beside it; where that file is missing, there is
# nothing to compare with.

locals {
  build_facts_path    = "${trimsuffix(var.transformer_zip_path, ".zip")}.json"
  zip_architecture    = try(jsondecode(file(local.build_facts_path)).architecture, var.transformer_architecture)
  zip_runtime         = try(jsondecode(file(local.build_facts_path)).runtime, local.transformer_runtime)
  transformer_runtime = "python3.13"
}

check "transformer_zip" {
  assert {
    condition     = local.zip_architecture == var.transformer_architecture && local.zip_runtime == local.transformer_runtime
    error_message = "The zip is for ${local.zip_runtime} on ${local.zip_architecture}, but the function runs ${local.transformer_runtime} on ${var.transformer_architecture}: it would not start."
  }
}
