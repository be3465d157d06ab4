locals {
  firehose_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })

  # Made of names like the streams' ARNs, so that a plan shows every policy whole.
  bucket_arns = { for name, bucket in local.bucket_names : name => "arn:${local.partition}:s3:::${bucket}" }
  alias_arns = {
    for name, function in local.function_names :
    name => "arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${function}:${local.alias_name}"
  }
  own_log_stream_arns   = { for name, group in local.own_log_groups : name => "${local.log_groups_arn}:${group}:log-stream:*" }
  error_log_stream_arns = { for name, group in local.error_log_groups : name => "${local.log_groups_arn}:${group}:log-stream:*" }

  secrets = {
    for name, settings in { splunk = var.splunk, elastic = var.elastic } : name => {
      arn                          = settings.secret_arn
      kms_key_arn                  = settings.secret_kms_key_arn
    } if settings != null
  }
}

# CloudWatch Logs puts envelopes into the streams.

resource "aws_iam_role" "subscription" {
  name = "${var.name_prefix}-subscription"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringLike = { "aws:SourceArn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:*" } }
    }]
  })
}

resource "aws_iam_role_policy" "subscription" {
  name = "put-envelopes"
  role = aws_iam_role.subscription.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "PutEnvelopes"
      Effect   = "Allow"
      Action   = ["firehose:PutRecord"]
      Resource = concat(values(local.stream_arns), var.archive == null ? [] : [local.archive_stream_arn])
    }]
  })

  lifecycle {
    precondition {
      condition     = length(local.all_stream_names) > 0
      error_message = "Nothing would be delivered: choose splunk, opensearch, elastic or archive."
    }
  }
}

# Firehose calls the function and keeps what fails.

resource "aws_iam_role" "firehose" {
  for_each = local.destinations

  name               = "${var.name_prefix}-firehose-${each.key}"
  assume_role_policy = local.firehose_trust
  tags               = var.tags
}

resource "aws_iam_role_policy" "firehose" {
  for_each = local.destinations

  name = "deliver"
  role = aws_iam_role.firehose[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid    = "KeepFailures"
          Effect = "Allow"
          Action = [
            "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket",
            "s3:ListBucketMultipartUploads", "s3:PutObject",
          ]
          Resource = [local.bucket_arns["failed"], "${local.bucket_arns["failed"]}/*"]
        },
        {
          Sid      = "Transform"
          Effect   = "Allow"
          Action   = ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"]
          Resource = [local.alias_arns[each.key]]
        },
        {
          Sid      = "LogErrors"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents"]
          Resource = [local.error_log_stream_arns[each.key]]
        },
      ],
      !local.has_key ? [] : [{
        Sid       = "EncryptFailures"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [local.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
      }],
      [for name, secret in local.secrets : {
        Sid      = "ReadToken"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [secret.arn]
      } if name == each.key],
      [for name, secret in local.secrets : {
        Sid       = "DecryptToken"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [secret.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      } if name == each.key && secret.kms_key_arn != null],
      each.key == "opensearch" ? local.opensearch_statements : [],
    )
  })
}

locals {
  opensearch_arn   = try(var.opensearch.domain_arn, "")
  opensearch_index = try(var.opensearch.index_name, "")
  opensearch_statements = concat(
    [
      {
        Sid      = "DescribeDomain"
        Effect   = "Allow"
        Action   = ["es:DescribeDomain", "es:DescribeDomainConfig", "es:DescribeDomains"]
        Resource = [local.opensearch_arn]
      },
      {
        Sid      = "WriteDocuments"
        Effect   = "Allow"
        Action   = ["es:ESHttpPost", "es:ESHttpPut"]
        Resource = [local.opensearch_arn, "${local.opensearch_arn}/*"]
      },
      {
        Sid    = "ReadSettings"
        Effect = "Allow"
        Action = ["es:ESHttpGet"]
        Resource = [
          for path in concat(
            ["_all/_settings", "_cluster/stats", "_nodes", "_nodes/*/stats", "_nodes/stats", "_stats"],
            ["${local.opensearch_index}*/_mapping/*", "${local.opensearch_index}*/_stats"],
          ) :
          "${local.opensearch_arn}/${path}"
        ]
      },
    ],
    try(var.opensearch.vpc, null) == null ? [] : [{
      Sid    = "NetworkInterfaces"
      Effect = "Allow"
      Action = [
        "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs",
      ]
      # These actions know no resource that could be named before it exists.
      Resource = ["*"]
    }],
  )
}

# The function writes its own log and puts records back into its own stream.

resource "aws_iam_role" "transformer" {
  for_each = local.destinations

  name = "${var.name_prefix}-transformer-${each.key}"
  tags = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "transformer" {
  for_each = local.destinations

  name = "transform"
  role = aws_iam_role.transformer[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "WriteOwnLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = [local.own_log_stream_arns[each.key]]
        },
        {
          Sid      = "PutBack"
          Effect   = "Allow"
          Action   = ["firehose:PutRecordBatch"]
          Resource = [local.stream_arns[each.key]]
        },
      ],
      var.transformer_tracing ? [{
        Sid      = "Trace"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = ["*"]
      }] : [],
      var.transformer_vpc == null ? [] : [{
        Sid    = "NetworkInterfaces"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = ["*"]
      }],
    )
  })
}

# The archive stream keeps untouched envelopes.

resource "aws_iam_role" "archive" {
  count = var.archive == null ? 0 : 1

  name               = "${var.name_prefix}-firehose-archive"
  assume_role_policy = local.firehose_trust
  tags               = var.tags
}

resource "aws_iam_role_policy" "archive" {
  count = var.archive == null ? 0 : 1

  name = "archive"
  role = aws_iam_role.archive[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid    = "KeepEnvelopes"
        Effect = "Allow"
        Action = [
          "s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket",
          "s3:ListBucketMultipartUploads", "s3:PutObject",
        ]
        Resource = [local.bucket_arns["archive"], "${local.bucket_arns["archive"]}/*"]
        }, {
        Sid      = "LogErrors"
        Effect   = "Allow"
        Action   = ["logs:PutLogEvents"]
        Resource = [local.error_log_stream_arns["archive"]]
      }],
      !local.has_key ? [] : [{
        Sid       = "EncryptEnvelopes"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [local.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
      }],
    )
  })
}
