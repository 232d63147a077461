// Package image keeps the root file systems of container images on disk, each unpacked once, by the digest of its manifest.
//
// An image is a stranger's. Nothing of it is trusted before it is verified, and nothing that it says makes anything be read,
// written or removed outside its own directory: names are resolved inside it, as a process would whose root it is. Devices, owners,
// extended attributes and the bits that change who a program runs as are left out, so that the code of a function reads what is
// readable for everyone (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html). It runs nothing.
//
// An image appears by a rename, when all of it has been written to the disk: after a crash, or a loss of power, it is whole or not
// there. All methods of a Store may be called concurrently, but Open, which comes first, and Close, which comes last.
//
// Layers are applied as the OCI image specification says (https://github.com/opencontainers/image-spec/blob/main/layer.md).
package image
