// SPDX-License-Identifier: MIT
// Uses files, a child whose output it reads, and a child with a two-way connection.
const fs = require("fs");
const child = require("child_process");

fs.rmSync("/root/node", { recursive: true, force: true });
fs.mkdirSync("/root/node/deep", { recursive: true });
fs.writeFileSync("/root/node/a", "text");
fs.renameSync("/root/node/a", "/root/node/deep/b");
console.log(fs.readdirSync("/root/node/deep"), fs.readFileSync("/root/node/deep/b", "utf8"));
console.log(child.execFileSync("id", ["-un"]).toString().trim());
const shell = child.spawn("sh", ["-c", "cat; exit 3"]);
shell.stdout.on("data", (data) => console.log(`said ${data}`));
shell.on("close", (code) => console.log(`exit ${code}`));
shell.stdin.end("hello");
