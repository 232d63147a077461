// Package layer provides Lambda layers: their versions, and the resource-based policies of these.
//
// It never decides whether a call is permitted: its rows say what each operation needs, and dispatch judges. It does not know which
// functions use a layer version: they keep what they need of it, so that it can be deleted (package lambda). It reads no clock and opens
// no connection.
//
// A layer is one record under "lambda/<account>/<region>/layer/<name>", which counts its versions and stays when they are deleted, so that
// no number is given twice. Versions, which never change, stand under "…/layer-version/<name>/", their policies, which go with them, under
// "…/layer-policy/<name>/". Archives stand in the blob store.
//
// Invariants: an archive is checked and durable before the version that names it; a stored policy always parses; the ARN that is judged is
// the one that is looked up, so a number that is not written as AWS writes it ("01") names nothing. A *Service is safe for concurrent
// use. After an error nothing was changed, except that an archive may have been stored which no version names. BUG: archives of deleted
// versions are not deleted.
//
// Sources: https://docs.aws.amazon.com/lambda/latest/api/ for operations, botocore's model of API version 2015-03-31 for constraints,
// lambda.md 1.6 and answers recorded from AWS for the rest.
//
// To add an operation: one file named after it and one row in operations.go.
package layer
