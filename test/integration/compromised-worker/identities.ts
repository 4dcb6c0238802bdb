import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { APPLY_PATCH, JSON_PATCH, MERGE_PATCH } from "../../support/cluster/api-request.ts";
import { type Attempt, isDone } from "./attempt.ts";
import type { ForeignSecret } from "./secrets.ts";

export type Account = ForeignSecret;

const AUDIENCES: Readonly<Record<string, readonly string[]>> = {
  Entra: ["api://AzureADTokenExchange"],
  "the API server": [],
  "the API server by name": ["https://kubernetes.default.svc.cluster.local"],
  "Entra and somebody else": ["api://AzureADTokenExchange", "vault"],
};

export function tokenAttempts(accounts: readonly Account[]): readonly Attempt[] {
  return accounts.flatMap(({ namespace, name }) =>
    Object.entries(AUDIENCES).flatMap(([audience, audiences]) =>
      [600, 3600].map(
        (expirationSeconds): Attempt => ({
          what: `a token of ${namespace}/${name} for ${audience}, for ${expirationSeconds} seconds`,
          call: {
            method: "POST",
            path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
            body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences, expirationSeconds } },
          },
          succeeded: isDone,
        }),
      ),
    ),
  );
}

/** Attempts of the worker to give itself a grant: on the Namespace, in every way to write one. */
export function grantAttempts({ namespace, name }: Account): readonly Attempt[] {
  const annotations = { [GRANT_ANNOTATIONS.serviceAccounts]: name, [GRANT_ANNOTATIONS.managedIdentity]: "allowed" };
  const path = `/api/v1/namespaces/${namespace}`;
  const whole = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, annotations } };
  const escaped = GRANT_ANNOTATIONS.serviceAccounts.replace("/", "~1");
  const json = [{ op: "add", path: `/metadata/annotations/${escaped}`, value: name }];
  const attempt = (what: string, call: Attempt["call"]): Attempt => ({ what: `${what} ${namespace}/${name}`, call, succeeded: isDone });
  return [
    attempt("a grant, merged, for", { method: "PATCH", path, contentType: MERGE_PATCH, body: { metadata: { annotations } } }),
    attempt("a grant, by JSON patch, for", { method: "PATCH", path, contentType: JSON_PATCH, body: json }),
    attempt("a grant, applied, for", {
      method: "PATCH",
      path: `${path}?fieldManager=x&force=true`,
      contentType: APPLY_PATCH,
      body: whole,
    }),
    attempt("a grant, put, for", { method: "PUT", path, body: whole }),
    attempt("a grant by the status of", {
      method: "PATCH",
      path: `${path}/status`,
      contentType: MERGE_PATCH,
      body: { metadata: { annotations } },
    }),
    attempt("a grant by finalizing", { method: "PUT", path: `${path}/finalize`, body: whole }),
    attempt("a Namespace of its own for", {
      method: "POST",
      path: "/api/v1/namespaces",
      body: { ...whole, metadata: { name: `${namespace}-forged`, annotations } },
    }),
  ];
}

/**
 * Writes that look like a grant but are not: annotations on the account, which the worker may write if it belongs to the install, and a
 * class that names the account.
 */
export function forgeries(account: Account): readonly Attempt["call"][] {
  const { namespace, name } = account;
  const annotations = { [GRANT_ANNOTATIONS.serviceAccounts]: name, [GRANT_ANNOTATIONS.managedIdentity]: "allowed" };
  const metadata = { annotations, labels: { "azure.workload.identity/use": "true" } };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
  return [{ method: "PATCH", path, contentType: MERGE_PATCH, body: { metadata } }, forgedClass(account)];
}

/** The policies allow this write, because the worker restores lost classes. */
function forgedClass({ namespace, name }: Account): Attempt["call"] {
  const annotations = {
    [CLASS_ANNOTATIONS.serviceAccount]: name,
    [CLASS_ANNOTATIONS.credentialsSecret]: "plain",
    [CLASS_ANNOTATIONS.adopt]: "plain,held,tls",
  };
  const secretObjects = ["plain", "held", "tls"].map((secretName) => ({
    secretName,
    type: "Opaque",
    data: [{ objectName: "of-the-thief", key: "password" }],
  }));
  const parameters = { keyvaultName: "of-the-thief", tenantId: "72f988bf-86f1-41af-91ab-2d7cd011db47", clientID: "of-the-thief" };
  return {
    method: "POST",
    path: `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${namespace}/secretproviderclasses`,
    body: {
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClass",
      metadata: { name: `forged-for-${name}`, annotations },
      spec: { provider: "azure", parameters, secretObjects },
    },
  };
}
