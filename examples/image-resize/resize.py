"""Makes a thumbnail of each photo that S3 tells of, and tells a queue that it is there.

Photos are PNG files of eight bits, which Python's own library is enough for; a real function would have Pillow in a layer.
"""

import json
import os
import struct
import urllib.parse
import zlib

import boto3

SIZE = 64  # of the longer side of a thumbnail, in pixels

s3 = boto3.client("s3")
sqs = boto3.client("sqs")


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        photo = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        thumbnail = resize(photo)
        s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=thumbnail, ContentType="image/png")
        sqs.send_message(QueueUrl=os.environ["DONE"], MessageBody=json.dumps({"photo": key, "bytes": len(thumbnail)}))
        print(f"{key}: {len(photo)} bytes became {len(thumbnail)}")


def resize(photo):
    width, height, channels, rows = read(photo)
    scale = max(width, height, SIZE) / SIZE
    w, h = max(1, round(width / scale)), max(1, round(height / scale))
    small = []
    for y in range(h):
        line = bytearray()
        for x in range(w):
            box = [
                rows[j][i * channels : (i + 1) * channels]
                for j in range(y * height // h, max(y * height // h + 1, (y + 1) * height // h))
                for i in range(x * width // w, max(x * width // w + 1, (x + 1) * width // w))
            ]
            line += bytes(sum(c) // len(box) for c in zip(*box))
        small.append(line)
    return write(w, h, channels, small)


# PNG: https://www.w3.org/TR/png-3/
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type


def read(png):
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG file")
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, chunk = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
            if depth != 8 or colour not in CHANNELS or interlaced:
                raise ValueError("only PNG files of eight bits, in one pass and without a palette")
        elif kind == b"IDAT":
            data += chunk
        at += 12 + length
    channels, raw, rows = CHANNELS[colour], zlib.decompress(data), []
    stride = width * channels
    above = bytes(stride)
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for i in range(stride):
            left = line[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            line[i] = (line[i] + (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]) & 255
        rows.append(line)
        above = line
    return width, height, channels, rows


def paeth(a, b, c):
    return min((a, b, c), key=lambda v: abs(a + b - c - v))


def write(width, height, channels, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = next(colour for colour, n in CHANNELS.items() if n == channels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
        + chunk(b"IEND", b"")
    )
