import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { ObjectReader } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultObjectKind, VaultVersion } from "../../src/domain/ports/vault-object.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { type Fetched, failureOfFile, fetchObjects } from "../../src/sync/vault/fetch-objects.ts";

function anObject(changes: Partial<ClassObject> = {}): ClassObject {
  const plain = { version: undefined, history: 0, format: "pem", encoding: "utf-8", filePermission: "" } as const;
  return { type: "secret", name: "a", path: "a", ...plain, ...changes };
}

const facts = { updated: undefined, expires: undefined, notBefore: undefined };

/**
 * A vault whose secrets have the versions `v3` to `v1`, with `v2` disabled. Each value is the name of its secret. Secrets whose
 * names begin with `gone` do not exist.
 */
class Vault implements ObjectReader {
  readonly calls: string[] = [];

  async #answer<T>(call: string, name: string, value: T): Promise<T> {
    this.calls.push(call);
    if (name === "part")
      throw new VaultError("Invalid", "the vault's response does not contain it", {
        retry: { kind: "never" },
        origin: "vault",
        providerText: "secret id is nil",
      });
    if (name.startsWith("gone")) throw new VaultError("NotFound", `no ${name}`, { retry: { kind: "never" }, origin: "vault" });
    return value;
  }

  getSecret(name: string, version = "v3") {
    const value = Sensitive.ofText(`${name}@${version}`);
    return this.#answer(`secret ${name} ${version}`, name, { ...facts, version, value, contentType: undefined, keyId: undefined });
  }

  getKey(name: string, version = "v3") {
    const n = Buffer.alloc(256, 0xff);
    return this.#answer(`key ${name} ${version}`, name, { ...facts, version, jwk: { kty: "RSA", n, e: Buffer.of(1, 0, 1) } });
  }

  getCertificate(name: string, version = "v3") {
    return this.#answer(`certificate ${name} ${version}`, name, { ...facts, version, der: Buffer.from("hi") });
  }

  /** Lists the versions, one on each page. */
  async *listVersions(kind: VaultObjectKind, name: string): AsyncGenerator<readonly VaultVersion[]> {
    const numbers = await this.#answer(`list ${kind} ${name}`, name, [3, 2, 1]);
    for (const number of numbers) yield [{ version: `v${number}`, isEnabled: number !== 2, created: number }];
  }
}

function fetchFrom(client: ObjectReader, ...objects: readonly ClassObject[]): Promise<Fetched> {
  const render = { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false };
  return fetchObjects({ client, render }, objects, new AbortController().signal);
}

const filesOf = ({ files }: Fetched) => files.map(({ path, objectId, version }) => `${path} ${objectId}@${version}`);

describe("fetching the objects of a class", () => {
  test("asks for each by its type and gives their files in the order of the class", async () => {
    const vault = new Vault();
    const objects = [anObject(), anObject({ type: "key", name: "k", path: "k" }), anObject({ type: "cert", name: "c", path: "d/c" })];

    const fetched = await fetchFrom(vault, ...objects);

    assert.deepEqual(vault.calls, ["secret a v3", "key k v3", "certificate c v3"]);
    assert.deepEqual(filesOf(fetched), ["a secret/a@v3", "k key/k@v3", "d/c cert/c@v3"]);
    assert.deepEqual(fetched.failures, []);
  });

  for (const [type, word] of [
    ["secret", "secret"],
    ["key", "key"],
    ["cert", "certificate"],
  ] as const) {
    test(`lists a history of type ${type} once and gets each version of it`, async () => {
      const vault = new Vault();

      const fetched = await fetchFrom(vault, anObject({ type, history: 2, path: "old" }));

      assert.deepEqual(vault.calls, [`list ${word} a`, `${word} a v3`, `${word} a v1`]);
      assert.deepEqual(filesOf(fetched), [`old/0 ${type}/a/0@v3`, `old/1 ${type}/a/1@v1`]);
    });
  }

  test("asks for a pinned version, also for one called latest without a history", async () => {
    const vault = new Vault();
    await fetchFrom(vault, anObject({ version: "v1" }), anObject({ version: "latest" }));
    assert.deepEqual(vault.calls, ["secret a v1", "secret a latest"]);
  });

  test("goes on where one object fails, and says which files are missing for it", async () => {
    const failing = anObject({ name: "gone", path: "x", history: 3 });

    const fetched = await fetchFrom(new Vault(), failing, anObject(), anObject({ encoding: "base64", path: "bad" }));

    assert.deepEqual(filesOf(fetched), ["a secret/a@v3"]);
    assert.equal(failureOfFile(fetched.failures, "x/1")?.reason, "ObjectNotFound");
    const bad = failureOfFile(fetched.failures, "bad");
    assert.match(bad?.message ?? "", /^illegal base64 data at input byte 1 \(secret\/a: /);
    assert.equal(bad?.retry.kind, "never");
    assert.equal(failureOfFile(fetched.failures, "a"), undefined);
  });

  test("names the version of a history whose content is of no use", async () => {
    const { failures } = await fetchFrom(new Vault(), anObject({ history: 2, encoding: "hex" }));
    assert.match(failures[0]?.message ?? "", /\(secret\/a\/0: /);
  });

  test("tells of an answer that lacks a part in the provider's bare words, with the object behind them", async () => {
    const { failures } = await fetchFrom(new Vault(), anObject({ name: "part" }));
    assert.deepEqual(
      failures.map(({ reason, message }) => [reason, message]),
      [["InvalidObject", "secret id is nil (secret/part: the vault's response does not contain it)"]],
    );
  });

  test("does not hide a bug behind a failed object", async () => {
    const vault = new Vault();
    vault.listVersions = () => {
      throw new TypeError("bug");
    };
    await assert.rejects(fetchFrom(vault, anObject({ type: "key", history: 2 })), TypeError);
  });
});
