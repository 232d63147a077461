// Package signing provides Lambda's code signing configurations as resources, and tells whether a deployment package satisfies one.
//
// A configuration is one record under "lambda/<account>/<region>/signing/<id>". Which functions have it, their records say. The
// signatures themselves are package codesign's, the publishers' certificates are the server's: a configuration may name profiles whose
// certificates are not known here, but nothing that they signed can be verified.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/api/API_CreateCodeSigningConfig.html and
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html; botocore's model of API version 2015-03-31 for
// constraints and for the texts of CodeVerificationFailedException and InvalidCodeSignatureException.
package signing
