# The same function for Terraform:
#   terraform plan -out plan && terraform show -json plan >plan.json && licet test
# plan.json is what that gives, without what licet does not read.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

provider "aws" {
  region = "us-east-1"
}

resource "aws_s3_bucket" "photos" {
  bucket = "photos"
}

resource "aws_s3_bucket" "thumbnails" {
  bucket = "thumbnails"
}

resource "aws_sqs_queue" "done" {
  name = "done"
}

resource "aws_iam_role" "resize" {
  name = "resize-role"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.resize.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "resize" {
  name = "resize"
  role = aws_iam_role.resize.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::photos/in/*" },
      { Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::thumbnails/in/*" },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:us-east-1:000000000000:done" },
    ]
  })
}

resource "aws_lambda_function" "resize" {
  function_name = "resize"
  role          = aws_iam_role.resize.arn
  runtime       = "python3.12"
  handler       = "resize.handler"
  timeout       = 30
  filename      = "resize.zip"
  environment {
    variables = {
      THUMBNAILS = aws_s3_bucket.thumbnails.bucket
      DONE       = aws_sqs_queue.done.url
    }
  }
}

resource "aws_lambda_permission" "photos" {
  statement_id   = "photos"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.resize.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::${aws_s3_bucket.photos.bucket}" # by name, which a plan knows
  source_account = "000000000000"
}

resource "aws_s3_bucket_notification" "photos" {
  bucket = aws_s3_bucket.photos.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.resize.arn
    events              = ["s3:ObjectCreated:*"]
  }
}
