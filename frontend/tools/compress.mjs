// Writes a .gz beside every hashed asset, so that the web server never compresses the same bytes twice.
//   node tools/compress.mjs DIST
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";

const assets = join(process.argv[2] ?? "dist", "assets");
for (const name of readdirSync(assets)) {
  if (!/\.(js|css|svg)$/.test(name)) continue;
  const packed = gzipSync(readFileSync(join(assets, name)), { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(join(assets, `${name}.gz`), packed);
}
