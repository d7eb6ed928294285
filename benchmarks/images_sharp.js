// The sharp workers of benchmarks/images.py: node images_sharp.js <folder with node_modules> <idiomatic|tuned>
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");

const [folder, method] = process.argv.slice(2);
const sharp = require(path.resolve(folder, "node_modules", "sharp"));

const WIDTHS = [1920, 1280, 640, 320];
const files = new Map();
sharp.concurrency(1); // one thread, like every other method
sharp.cache(false);

// What the public handlers do: a pipeline for each rendition, everything by default.
async function idiomatic(data) {
  let bytes = 0;
  for (const width of WIDTHS) {
    const out = await sharp(data).autoOrient().resize(width).jpeg({ quality: 80 }).toBuffer();
    bytes += out.length;
  }
  return bytes;
}

// The fastest we know at our quality: decode once, each smaller rendition from the larger one's raw
// pixels. sharp's default lets the decoder shrink to within a few percent of the target, which costs
// four points of SSIMULACRA2; it is kept for sources large enough that it leaves a margin of 1.5.
async function tuned(data) {
  const options = { quality: 80, optimiseCoding: false };
  const { width: source } = await sharp(data).metadata();
  const fastShrinkOnLoad = source >= 2 * 1.5 * WIDTHS[0];
  let bytes = 0;
  let input = sharp(data, { sequentialRead: true }).autoOrient();
  for (const width of WIDTHS) {
    const { data: raw, info } = await input
      .resize(width, null, { fastShrinkOnLoad })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const shape = { raw: { width: info.width, height: info.height, channels: info.channels } };
    bytes += (await sharp(raw, shape).jpeg(options).toBuffer()).length;
    input = sharp(raw, shape);
  }
  return bytes;
}

const run = { idiomatic, tuned }[method];

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { path: file } = JSON.parse(line);
    if (!files.has(file)) files.set(file, fs.readFileSync(file));
    const [start, before] = [process.hrtime.bigint(), process.cpuUsage()];
    const bytes = await run(files.get(file));
    const wall = Number(process.hrtime.bigint() - start) / 1e9;
    const used = process.cpuUsage(before);
    const cpu = (used.user + used.system) / 1e6;
    const peak_mb = process.resourceUsage().maxRSS / 1024;
    console.log(JSON.stringify({ wall, cpu, bytes, peak_mb }));
  }
}

main();
