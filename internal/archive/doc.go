// Package archive checks and unpacks zip files that nobody vouches for: function code and layers.
//
// Inspect reads an archive to its end and says what is in it; Unpack writes it into a new directory, and Merge several into one,
// later ones over earlier ones. None believes a header: sizes are counted while reading, so that a zip bomb costs no more than the
// limits. An archive is refused when an entry's name is absolute or leads out of the directory, when two entries have one name or
// a file is used as a directory, when a symbolic link leads outside (links inside are kept, as Lambda keeps them), when an entry is
// neither file, directory nor link, and when its checksum is wrong. The package reads no clock, no network and no configuration,
// and knows nothing of AWS's error texts.
//
// Everything is written through an os.Root, so that even a mistake in the checks cannot write outside the directory. The directory
// appears at its name by one rename when it is complete. After an error, and after a crash, there is nothing at that name; a crash
// may leave a sibling whose name begins with TemporaryPrefix, which may be removed at any time when no Unpack runs.
// Unpacked files are a cache of the archive and are not synced. Functions are safe for concurrent use; two Unpacks of the same
// archive into one directory both succeed.
//
// Modes: the permission bits of a file are those of the archive without the write bits, because code is shared and read-only (Lambda
// shows /var/task read-only: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html); an entry that records
// no permission at all gets r--r--r--. Set-user-id, set-group-id and sticky bits are dropped. Directories are r-xr-xr-x.
//
// To accept another kind of archive: make its entries a plan (see plan.go), which holds all the rules.
package archive
