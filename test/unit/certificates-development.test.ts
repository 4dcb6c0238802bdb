import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";

const SCRIPT = path.resolve(import.meta.dirname, "../../certs/issue-dev.ts");

let folder: string;

const run = (...args: readonly string[]): string => execFileSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8", stdio: "pipe" });
const read = (name: string): string => readFileSync(path.join(folder, name), "utf8");

describe("the issuing script for development", () => {
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "certs-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  test("writes a CA and a certificate for the Service and further names, keys for the owner only", () => {
    run("--out", folder, "--namespace", "dev", "--dns-name", "localhost");

    const leaf = new X509Certificate(read("tls.crt"));
    assert.ok(leaf.verify(new X509Certificate(read("ca.crt")).publicKey));
    assert.match(leaf.subjectAltName ?? "", /DNS:keyvault-injector-webhook\.dev\.svc, .*DNS:localhost/);
    assert.equal(statSync(path.join(folder, "tls.key")).mode & 0o777, 0o600);
  });

  test("overwrites nothing", () => {
    writeFileSync(path.join(folder, "ca.key"), "precious");

    assert.throws(() => run("--out", folder), /ca\.key exists already; delete it or name another folder/);
    assert.deepEqual(readdirSync(folder), ["ca.key"]);
    assert.equal(read("ca.key"), "precious");
  });

  test("asks for the folder", () => {
    assert.throws(() => run(), /--out is missing: name the folder to write to/);
  });
});
