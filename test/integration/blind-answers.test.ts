import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { DRIVER_MANAGED_LABEL } from "../../src/domain/sync/take-over.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { APPLY_PATCH, type ApiAnswer, type ApiCall, apiRequest, JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, listAt, parseManifests, policyIsActive, renderOverlay } from "../support/cluster/shipped-manifests.ts";
import { codeSpans, tables } from "../support/docs/markdown.ts";

const NAMESPACE = "default";
const VALUE = Buffer.from("hunter2").toString("base64");
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;

/** Foreign Secrets of the kinds that the API server treats each in its own way. */
const FOREIGN: Readonly<Record<string, object>> = {
  plain: { data: { password: VALUE } },
  immutable: { data: { password: VALUE }, immutable: true },
  held: { data: { password: VALUE } },
  tls: { type: "kubernetes.io/tls", data: { "tls.crt": VALUE, "tls.key": VALUE } },
};

type Write = Omit<ApiCall, "token" | "path"> & { readonly query?: string };

const body = (name: string, metadata: object = {}, rest: object = {}): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: NAMESPACE, labels: { [MANAGED_LABEL]: "true" }, ...metadata },
  type: name === "tls" ? "kubernetes.io/tls" : "Opaque",
  ...rest,
});

/** What the right to create, update and delete allows to send, well-formed or not. */
function writesOnto(name: string): Readonly<Record<string, Write>> {
  const put = (sent: unknown, more: Partial<Write> = {}): Write => ({ method: "PUT", body: sent, ...more });
  const options = (rest: object): Write => ({ method: "DELETE", body: { apiVersion: "v1", kind: "DeleteOptions", ...rest } });
  return {
    "a PUT": put(body(name, {}, { data: { a: "eA==" } })),
    "a dry-run PUT": put(body(name), { query: "?dryRun=All" }),
    "an empty PUT": put({ apiVersion: "v1", kind: "Secret", metadata: { name } }),
    "a PUT without a kind": put({}),
    "a PUT of another kind": put({ ...body(name), kind: "ConfigMap" }),
    "a PUT of another name": put(body("other")),
    "a PUT of another namespace": put(body(name, { namespace: "kube-system" })),
    "a PUT of another type": put(body(name, {}, { type: "example.com/other" })),
    "a PUT that is too large": put(body(name, {}, { data: { a: Buffer.alloc(1_200_000).toString("base64") } })),
    "a PUT with a word for a boolean": put(body(name, {}, { immutable: "no boolean" })),
    "a PUT with a list for data": put(body(name, {}, { data: ["x"] })),
    "a PUT with data that is not Base64": put(body(name, {}, { data: { a: "%%" } })),
    "a PUT with a bad key": put(body(name, {}, { data: { "a/b": "eA==" } })),
    "a PUT with stringData": put(body(name, {}, { stringData: { password: "x" } })),
    "a PUT with an unknown field": put(body(name, {}, { unknown: 1 }), { query: "?fieldValidation=Strict" }),
    "a PUT with another resourceVersion": put(body(name, { resourceVersion: "1" })),
    "a PUT with a broken resourceVersion": put(body(name, { resourceVersion: "x" })),
    "a PUT with another uid": put(body(name, { uid: "x" })),
    "a PUT with a bad label": put(body(name, { labels: { "bad key!": "x" } })),
    "a PUT with a bad owner": put(body(name, { ownerReferences: [{ kind: "x" }] })),
    "a PUT with a bad finalizer": put(body(name, { finalizers: ["bad name"] })),
    "a PUT with broken managedFields": put(body(name, { managedFields: [{ manager: "x", operation: "Apply", fieldsV1: { x: 1 } }] })),
    "a PUT with a time of deletion": put(body(name, { deletionTimestamp: "2020-01-01T00:00:00Z" })),
    "a PUT with another time of creation": put(body(name, { creationTimestamp: "2020-01-01T00:00:00Z" })),
    "a PUT with a bad option": put(body(name), { query: "?dryRun=x" }),
    "a PUT with a bad manager": put(body(name), { query: "?fieldManager=%00" }),
    "a PUT that is no YAML": put("x: [", { contentType: "application/yaml" }),
    "a PUT that is no protobuf": put(body(name), { contentType: "application/vnd.kubernetes.protobuf" }),
    "a PUT that says to be a patch": put(body(name), { contentType: MERGE_PATCH }),
    "a create": { method: "POST", body: body(name) },
    "a deletion": { method: "DELETE" },
    "a dry-run deletion": { method: "DELETE", query: "?dryRun=All" },
    "a deletion in the foreground": options({ propagationPolicy: "Foreground" }),
    "a deletion of another uid": options({ preconditions: { uid: "x" } }),
    "a deletion of another resourceVersion": options({ preconditions: { resourceVersion: "1" } }),
    "a broken deletion": options({ preconditions: "x" }),
  };
}

/** Deletions that leave the object for a while, which a dry run leaves anyway: whole, in the answer. */
function lingeringDeletions(): Readonly<Record<string, Write>> {
  const ways: Readonly<Record<string, object>> = {
    "in the foreground": { propagationPolicy: "Foreground" },
    "that orphans": { propagationPolicy: "Orphan" },
    "that orphans in the old way": { orphanDependents: true },
    "that does not orphan in the old way": { orphanDependents: false },
  };
  const runs: Readonly<Record<string, object>> = { "": {}, "a dry run of ": { dryRun: ["All"] } };
  return Object.fromEntries(
    Object.entries(ways).flatMap(([way, options]) =>
      // With a body, the API server ignores the query.
      Object.entries(runs).flatMap(([kind, run]): readonly (readonly [string, Write])[] => [
        [`${kind}a deletion ${way}`, { method: "DELETE", body: { apiVersion: "v1", kind: "DeleteOptions", ...options, ...run } }],
        [`${kind}a deletion ${way}, by query`, { method: "DELETE", query: `?${asQuery({ ...options, ...run })}` }],
      ]),
    ),
  );
}

const asQuery = (options: object): string =>
  new URLSearchParams(Object.entries(options).map(([key, value]): [string, string] => [key, String(value)])).toString();

/** What the blind worker has no right to, but a `watch` worker, or nobody of ours: each would be answered with the object. */
function withoutRight(name: string): Readonly<Record<string, Write>> {
  const forms: Readonly<Record<string, Write>> = {
    "an empty merge patch": { method: "PATCH", contentType: MERGE_PATCH, body: {} },
    "an empty JSON patch": { method: "PATCH", contentType: JSON_PATCH, body: [] },
    "an apply": { method: "PATCH", contentType: APPLY_PATCH, body: body(name) },
  };
  return Object.fromEntries(
    Object.entries(forms).flatMap(([what, write]) => [
      [what, { ...write, query: "?fieldManager=x" }],
      [`a dry run of ${what}`, { ...write, query: "?fieldManager=x&dryRun=All" }],
    ]),
  );
}

interface LabelledSecret {
  readonly metadata?: object;
  readonly fields?: object;
  /** Deleted, and held by its finalizer. */
  readonly isLeaving?: boolean;
}

/** Secrets that have our label, whoever made them: of each kind one that a write may well change. */
const LABELLED: Readonly<Record<string, LabelledSecret>> = {
  plain: {},
  immutable: { fields: { immutable: true } },
  held: { metadata: { finalizers: ["example.com/held"] } },
  leaving: { metadata: { finalizers: ["example.com/held"] }, isLeaving: true },
  owned: { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "1" }] } },
  adopted: { metadata: { annotations: { [SECRET_ANNOTATIONS.adopted]: "true", [SECRET_ANNOTATIONS.adoptableBy]: "x" } } },
  driver: { metadata: { labels: { [MANAGED_LABEL]: "true", [DRIVER_MANAGED_LABEL]: "true" } } },
};

describe("the blind overlay", { skip: controlPlaneRefusal() === undefined ? false : `SKIPPED: ${controlPlaneRefusal()}` }, () => {
  /** Rules of the worker: verbs, resource, names. */
  const rules = async (overlay: string): Promise<readonly string[]> =>
    parseManifests(await renderOverlay(overlay))
      .filter(({ kind, metadata }) => (kind === "Role" || kind === "ClusterRole") && metadata.name === "keyvault-injector-sync")
      .flatMap((role) => listAt(role, "rules"))
      .flatMap((rule) => {
        const names = listAt(rule, "resourceNames").join(" ") || "all";
        const group = listAt(rule, "apiGroups").join("");
        const suffix = group === "" ? "" : `.${group}`;
        return listAt(rule, "resources").map((resource) => `${listAt(rule, "verbs").join(" ")} ${String(resource)}${suffix} ${names}`);
      });

  test("changes the worker's rights as the page of rights says, and no others", async () => {
    const [usual, blind] = [await rules("default"), await rules("blind")];
    const rows = tables(readRepositoryFile("docs/security/rights.md"))
      .filter(({ header }) => header[0] === "Default")
      .flatMap((table) => table.rows);
    const reported = (column: 0 | 1): readonly string[] =>
      rows
        .filter((row) => row[column] !== "–")
        .map((row) => `${codeSpans(row[column] ?? "")[0]} ${codeSpans(row[2] ?? "")[0]} ${codeSpans(row[3] ?? "")[0] ?? row[3]}`);

    assert.ok(rows.length > 0);
    assert.deepEqual(usual.filter((rule) => !blind.includes(rule)).sort(), [...reported(0)].sort());
    assert.deepEqual(blind.filter((rule) => !usual.includes(rule)).sort(), [...reported(1)].sort());
  });
});

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  describe(`the right to write Secrets without reading them, on API server ${version}`, {
    skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
  }, () => {
    let plane: ControlPlane;
    let token: string;
    const send = ({ query = "", ...write }: Write, name = ""): Promise<ApiAnswer> =>
      apiRequest(plane, { ...write, path: `${SECRETS}${name === "" || write.method === "POST" ? "" : `/${name}`}${query}`, token });

    /** Makes one anew that a write has changed. */
    const asBefore = async (name: string, { metadata, fields, isLeaving }: LabelledSecret): Promise<void> => {
      const path = `${SECRETS}/${name}`;
      const { body: live } = await apiRequest(plane, { method: "GET", path });
      if (at(live, "data", "password") === VALUE) return;
      await apiRequest(plane, { method: "PATCH", path, contentType: MERGE_PATCH, body: { metadata: { finalizers: null } } });
      await apiRequest(plane, { method: "DELETE", path });
      const secret = body(name, metadata, { data: { password: VALUE }, ...fields });
      assertAllowed(await apiRequest(plane, { method: "POST", path: SECRETS, body: secret }));
      if (isLeaving === true) assertAllowed(await apiRequest(plane, { method: "DELETE", path }));
    };

    before(async () => {
      plane = await startControlPlane({ version, controllerManager: false });
      await installShipped(plane, await renderOverlay("blind"));
      token = await serviceAccountToken(plane, "keyvault-injector", "keyvault-injector-sync");
      for (const [name, fields] of Object.entries(FOREIGN)) {
        const metadata = { name, ...(name === "held" ? { finalizers: ["example.com/held"] } : {}) };
        const made = await apiRequest(plane, {
          method: "POST",
          path: SECRETS,
          body: { apiVersion: "v1", kind: "Secret", metadata, ...fields },
        });
        assert.equal(made.status, 201);
      }
      const unmarked = { apiVersion: "v1", kind: "Secret", metadata: { name: "probe" } };
      await policyIsActive("keyvault-injector-sync-secrets", () => send({ method: "POST", query: "?dryRun=All", body: unmarked }));
    });
    after(async () => {
      await plane?.stop();
    });

    test("changes no foreign Secret and is answered with nothing of it, however broken the request", async (context) => {
      const before = await apiRequest(plane, { method: "GET", path: SECRETS });
      let tried = 0;
      for (const name of Object.keys(FOREIGN)) {
        for (const [what, write] of Object.entries({ ...writesOnto(name), ...lingeringDeletions(), ...withoutRight(name) })) {
          const { status, body: answer } = await send(write, name);
          assert.ok(status >= 400, `${what} onto ${name}: ${status}`);
          assert.doesNotMatch(JSON.stringify(answer), new RegExp(`${VALUE}|hunter2`), `${what} onto ${name}`);
          tried += 1;
        }
      }
      context.diagnostic(`${tried} requests, none answered with content`);
      assert.deepEqual(at((await apiRequest(plane, { method: "GET", path: SECRETS })).body, "items"), at(before.body, "items"));
    });

    test("tells of an immutable one whether a guess is right, which is all that it tells", async () => {
      const guess = async (value: string): Promise<string> =>
        String(
          at((await send({ method: "PUT", body: body("immutable", {}, { data: { password: value } }) }, "immutable")).body, "message"),
        );

      assert.match(await guess("eA=="), /data: Forbidden: field is immutable/);
      assert.doesNotMatch(await guess(VALUE), /data: Forbidden/);
    });

    test("PS-6: is answered with nothing of a Secret that has its label either, whatever it sends", async (context) => {
      let tried = 0;
      for (const [name, secret] of Object.entries(LABELLED)) {
        const labelled = `labelled-${name}`;
        const writes = { ...writesOnto(labelled), ...lingeringDeletions(), ...withoutRight(labelled) };
        for (const [what, write] of Object.entries(writes)) {
          await asBefore(labelled, secret);
          const { body: answer } = await send(write, labelled);
          assert.doesNotMatch(JSON.stringify(answer), new RegExp(`${VALUE}|hunter2`), `${what} onto ${name}`);
          tried += 1;
        }
        const all: Write = { method: "DELETE", body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" } };
        assert.equal((await send(all)).status, 403);
      }
      context.diagnostic(`${tried} requests, none answered with content`);
    });

    test("PS-6: writes over and deletes a Secret with its label, and neither while that would tell the content", async () => {
      const labelled = (name: string, metadata: object): Promise<ApiAnswer> =>
        apiRequest(plane, { method: "POST", path: SECRETS, body: body(name, metadata, { data: { password: VALUE } }) });
      const policy = "keyvault-injector-sync-secrets";
      const hold = { finalizers: ["example.com/held"] };
      assertAllowed(await labelled("to-delete", {}));
      assertAllowed(await labelled("to-free", { ...hold, annotations: { [SECRET_ANNOTATIONS.adoptableBy]: "x" } }));

      for (const write of Object.values(lingeringDeletions()))
        assertDenied(await send(write, "to-delete"), policy, /only with the propagation policy Background/);
      assertAllowed(await send({ method: "DELETE", query: "?dryRun=All" }, "to-delete"));
      assertAllowed(await send({ method: "DELETE" }, "to-delete"));

      // A PUT of the whole takes the rest off.
      assertAllowed(await send({ method: "PUT", body: body("to-free") }, "to-free"));
      assertAllowed(await labelled("to-hold", hold));
      for (const query of ["", "?dryRun=All"])
        assertDenied(await send({ method: "DELETE", query }, "to-hold"), policy, /cannot delete a Secret that has finalizers/);
      assertAllowed(await send({ method: "DELETE" }, "to-free"));
    });

    test("PS-7: binds a Secret to no owner and holds none", async () => {
      const policy = "keyvault-injector-sync-secrets";
      const gone = { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "1" }] };
      const adopted = { annotations: { [SECRET_ANNOTATIONS.adopted]: "true" } };
      assertAllowed(await apiRequest(plane, { method: "POST", path: SECRETS, body: body("to-bind", adopted) }));

      assertDenied(
        await send({ method: "PUT", body: body("to-bind", { ...adopted, ...gone }) }, "to-bind"),
        policy,
        /cannot add or change them/,
      );
      const held = { ...adopted, finalizers: ["example.com/x"] };
      assertDenied(await send({ method: "PUT", body: body("to-bind", held) }, "to-bind"), policy, /cannot change the finalizers/);
      assertDenied(await send({ method: "PUT", body: body("to-bind", { labels: {} }) }, "to-bind"), policy, /with the label/);
      assertDenied(await send({ method: "POST", body: body("bound", gone) }), policy, /cannot add or change them/);
      assertDenied(await send({ method: "POST", body: body("bound", adopted) }), policy, /only to a Secret whose owner agreed/);
    });

    test("is no right to patch, which is one to read", async () => {
      const broken: Write = { method: "PATCH", contentType: MERGE_PATCH, body: { immutable: "no boolean" } };
      const refused = await send(broken, "plain");
      assert.equal(refused.status, 403);
      assert.doesNotMatch(JSON.stringify(refused.body), new RegExp(VALUE));

      // The control: the same request by somebody with the right.
      const { status, body: answer } = await apiRequest(plane, { ...broken, path: `${SECRETS}/plain` });
      assert.equal(status, 422);
      assert.match(JSON.stringify(answer), new RegExp(VALUE));
    });

    test("writes its own: the same content again is stored once", async () => {
      const made = await send({ method: "POST", body: body("own", {}, { data: { a: "eA==" } }) });
      const again = await send({ method: "PUT", body: body("own", {}, { data: { a: "eA==" } }) }, "own");
      const changed = await send({ method: "PUT", body: body("own", {}, { data: { a: "eQ==" } }) }, "own");

      assert.equal(made.status, 201);
      const versions = [made, again, changed].map(({ body: answer }) => at(answer, "metadata", "resourceVersion"));
      assert.equal(versions[0], versions[1]);
      assert.notEqual(versions[1], versions[2]);
    });
  });
}
