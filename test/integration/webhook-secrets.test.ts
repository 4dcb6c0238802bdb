import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AUTHORITY_ANNOTATIONS, MANAGED_LABEL } from "../../src/domain/annotations.ts";
import { AUTHORITY_SECRET } from "../../src/domain/certificates/names.ts";
import { authoritySecretBody } from "../../src/tls/authority-secret.ts";
import { issueAuthority } from "../../src/tls/issue.ts";
import { newRsaKey } from "../../src/tls/rsa-key.ts";
import { APPLY_PATCH, type ApiAnswer, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installShipped, policyIsActive } from "../support/cluster/shipped-manifests.ts";
import { PolicyRequests } from "./policy-requests.ts";

const OWN = "keyvault-injector";
const POLICY = "keyvault-injector-webhook-secrets";
const TOKEN_TYPE = "kubernetes.io/service-account-token";
const ACCOUNT = "kubernetes.io/service-account.name";
const gone = { apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "00000000-0000-0000-0000-000000000000" };

/** Changes that the policy rejects both in a Secret that the webhook creates and in one that it updates, with the expected error. */
const REFUSED: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, RegExp]>> = {
  "an owner that does not exist": [{ metadata: { ownerReferences: [gone] } }, /cannot set or remove owners and finalizers/],
  "a finalizer": [{ metadata: { finalizers: ["example.com/hold"] } }, /cannot set or remove owners and finalizers/],
  "no change any more": [{ immutable: true }, /or make it immutable/],
  "the name of an account": [{ metadata: { annotations: { [ACCOUNT]: "keyvault-injector-sync" } } }, /can set only its own two labels/],
  "a consent to its adoption": [
    { metadata: { annotations: { "keyvault-injector.dev/adoptable-by": "shop" } } },
    /can set only its own two labels/,
  ],
  "the label of synced Secrets": [{ metadata: { labels: { [MANAGED_LABEL]: "true" } } }, /can set only its own two labels/],
  "another value of its own label": [
    { metadata: { labels: { "app.kubernetes.io/component": "sync" } } },
    /can set only its own two labels/,
  ],
};

/** Changes that only a creation can contain. */
const REFUSED_AT_FIRST: typeof REFUSED = {
  ...REFUSED,
  "a token of the worker's account": [
    { type: TOKEN_TYPE, metadata: { annotations: { [ACCOUNT]: "keyvault-injector-sync" } } },
    /can create its Secret only with the type Opaque/,
  ],
  "a bootstrap token": [{ type: "bootstrap.kubernetes.io/token" }, /can create its Secret only with the type Opaque/],
  "any other type": [{ type: "example.com/other" }, /can create its Secret only with the type Opaque/],
};

let plane: ControlPlane;
let requests: PolicyRequests;
let tokens: { readonly sync: string; readonly webhook: string; readonly somebody: string };

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`the webhook's Secret, on API server ${version}`, { skip }, () => theSecret(version));
}

const path = (namespace = OWN, name = AUTHORITY_SECRET): string => `/api/v1/namespaces/${namespace}/secrets/${name}`;

function bodyOf(more: Readonly<Record<string, unknown>> = {}, name = AUTHORITY_SECRET): Readonly<Record<string, unknown>> {
  const { metadata, ...fields } = more;
  return { apiVersion: "v1", kind: "Secret", ...fields, metadata: { ...(metadata as object | undefined), name } };
}

interface Write {
  readonly token?: string;
  readonly dryRun?: boolean;
  readonly at?: string;
}

function applied(body: unknown, { token = tokens.webhook, dryRun = true, at: url = path() }: Write = {}): Promise<ApiAnswer> {
  const query = `?fieldManager=keyvault-injector-webhook-pod&force=true${dryRun ? "&dryRun=All" : ""}`;
  return requests.call({ method: "PATCH", path: `${url}${query}`, contentType: APPLY_PATCH, body, token });
}

function merged(body: unknown, { token = tokens.webhook, dryRun = true, at: url = path() }: Write = {}): Promise<ApiAnswer> {
  return requests.call({ method: "PATCH", path: `${url}${dryRun ? "?dryRun=All" : ""}`, contentType: MERGE_PATCH, body, token });
}

async function removeSecret(): Promise<void> {
  await plane.kubectl(["delete", "secret", AUTHORITY_SECRET, "-n", OWN, "--ignore-not-found"]);
}

async function create(secret: Readonly<Record<string, unknown>>): Promise<void> {
  await removeSecret();
  await plane.kubectl(["create", "-n", OWN, "-f", "-"], JSON.stringify(secret));
}

function theSecret(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    requests = new PolicyRequests(plane);
    await installShipped(plane);
    await plane.kubectl(["create", "serviceaccount", "somebody", "-n", "default"]);
    await plane.kubectl(["create", "clusterrolebinding", "somebody", "--clusterrole=cluster-admin", "--serviceaccount=default:somebody"]);
    tokens = {
      sync: await serviceAccountToken(plane, OWN, "keyvault-injector-sync"),
      webhook: await serviceAccountToken(plane, OWN, "keyvault-injector-webhook"),
      somebody: await serviceAccountToken(plane, "default", "somebody"),
    };
    await policyIsActive(POLICY, () => applied(bodyOf({ immutable: true })));
    const probe = await requests.namespaceWith();
    await policyIsActive("keyvault-injector-sync-secrets", () => requests.createSecret(probe, "probe", {}, tokens.sync));
  });
  after(async () => {
    await plane?.stop();
  });

  describe("where there is none", () => {
    before(removeSecret);

    for (const [what, [fields, message]] of Object.entries(REFUSED_AT_FIRST)) {
      test(`PW-1: cannot be made by the webhook with ${what}, and can by somebody else`, async () => {
        assertDenied(await applied(bodyOf(fields)), POLICY, message);
        assertAllowed(await applied(bodyOf(fields), { token: tokens.somebody }));
      });
    }

    test("PW-2: cannot be made by the worker, which would choose the CA that the webhook believes", async () => {
      const names = [AUTHORITY_SECRET, "keyvault-injector-webhook-tls", "keyvault-injector-cert-manager-ca"];
      const ours = { metadata: { labels: { [MANAGED_LABEL]: "true" } }, data: { "ca.crt": "b25l" } };
      const elsewhere = await requests.namespaceWith();
      for (const name of names) {
        const refused = await applied(bodyOf(ours, name), { token: tokens.sync, at: path(OWN, name) });
        assertDenied(refused, "keyvault-injector-sync-secrets", /cannot write the Secrets from which the webhook takes its certificates/);
        assertAllowed(await applied(bodyOf(ours, name), { token: tokens.sync, at: path(elsewhere, name) }));
      }
      assertAllowed(await applied(bodyOf(ours, "other"), { token: tokens.sync, at: path(OWN, "other") }));
    });
  });

  describe("as the webhook itself writes it", () => {
    before(removeSecret);

    test("PW-1: is made, rotated, and rid of its previous CA", async () => {
      const key = await newRsaKey(2_048);
      const now = Date.now();
      const previous = issueAuthority(key, now - 1_000);
      const current = { certificatePem: issueAuthority(key, now).pem, key };
      const none = { certificates: [], until: undefined };
      for (const kept of [none, { certificates: [previous], until: now + 60_000 }, none]) {
        const answer = await applied(authoritySecretBody({ ...current, previous: kept }, { namespace: OWN }), { dryRun: false });
        assertAllowed(answer);
        assert.equal(at(answer.body, "type"), "Opaque");
        assert.equal(at(answer.body, "metadata", "annotations", AUTHORITY_ANNOTATIONS.previousUntil) !== undefined, kept !== none);
      }
    });

    for (const [what, [fields, message]] of Object.entries(REFUSED)) {
      test(`PW-1: cannot be given ${what} by the webhook, and can by somebody else`, async () => {
        assertDenied(await merged(fields), POLICY, message);
        assertDenied(await applied(bodyOf(fields)), POLICY, message);
        assertAllowed(await merged(fields, { token: tokens.somebody }));
      });
    }
  });

  describe("as somebody else made it", () => {
    const theirs = {
      type: "example.com/theirs",
      metadata: {
        labels: { team: "platform", "app.kubernetes.io/name": "other" },
        annotations: { note: "kept" },
        finalizers: ["example.com/hold"],
        ownerReferences: [gone],
      },
    };
    before(() => create(bodyOf(theirs)));
    after(async () => {
      await merged({ metadata: { finalizers: null } }, { token: tokens.somebody, dryRun: false });
    });

    test("PW-1: is taken over by the webhook, which keeps all that they said of it", async () => {
      const key = await newRsaKey(2_048);
      const content = { certificatePem: issueAuthority(key, Date.now()).pem, key, previous: { certificates: [], until: Date.now() } };
      const answer = await applied(authoritySecretBody(content, { namespace: OWN }), { dryRun: false });

      assertAllowed(answer);
      assert.equal(at(answer.body, "type"), theirs.type);
      assert.equal(at(answer.body, "metadata", "labels", "team"), "platform");
    });

    const removals: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      "their label": { labels: { team: null } },
      "their annotation": { annotations: { note: null } },
      "their finalizer": { finalizers: null },
      "their owner": { ownerReferences: null },
    };
    for (const [what, metadata] of Object.entries(removals)) {
      test(`PW-1: does not lose ${what} by the webhook`, async () => {
        assertDenied(await merged({ metadata }), POLICY, /the webhook can(not)? set/);
        assertAllowed(await merged({ metadata }, { token: tokens.somebody }));
      });
    }
  });

  describe("with one right more", () => {
    before(async () => {
      const account = `--serviceaccount=${OWN}:keyvault-injector-webhook`;
      await plane.kubectl(["create", "clusterrole", "more", "--verb=create,update,patch,delete", "--resource=secrets"]);
      await plane.kubectl(["create", "clusterrolebinding", "more", "--clusterrole=more", account]);
      await create(bodyOf());
    });

    test("PW-1: is still the only one that the webhook can write, and it can delete none", async () => {
      const namespace = await requests.namespaceWith();
      const message = /can write only the Secret keyvault-injector-ca of its own namespace, and cannot delete it/;
      await policyIsActive(POLICY, () => requests.createSecret(namespace, "other", {}, tokens.webhook));

      assertDenied(await requests.createSecret(namespace, AUTHORITY_SECRET, {}, tokens.webhook), POLICY, message);
      assertDenied(await requests.createSecret(OWN, "other", {}, tokens.webhook), POLICY, message);
      assertDenied(await requests.deleteSecret(OWN, AUTHORITY_SECRET, tokens.webhook), POLICY, message);
      assertAllowed(await merged({ data: { "ca.crt": "b25l" } }));
    });
  });
}
