import { generateKeyPairSync } from "node:crypto";
import { issueAuthority } from "../../../src/tls/issue.ts";
import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

/** Bundle with a CA that was created at this time. */
function bundleOf(made: number): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return Buffer.from(issueAuthority(privateKey, made).pem).toString("base64");
}

/** Damages of the webhook's configurations and certificates. */
export function webhookDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "the webhook's configuration deleted",
      check: "webhook",
      state: "FAIL",
      message: /^no MutatingWebhookConfiguration/,
      damage: () => install.deleting("mutatingwebhookconfiguration", "keyvault-injector"),
      repair: () => install.putBack(),
    },
    {
      what: "the failure policy Fail",
      check: "webhook",
      state: "WARN",
      message: /failurePolicy is Fail/,
      damage: () => install.patchWebhook([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }]),
      repair: () => install.patchWebhook([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }]),
    },
    {
      what: "an objectSelector that leaves pods out",
      check: "webhook",
      state: "WARN",
      message: /^its objectSelector may exclude opted-in pods$/,
      damage: () =>
        install.patchWebhook([{ op: "add", path: "/webhooks/0/objectSelector", value: { matchLabels: { nobody: "has-this" } } }]),
      repair: () => install.patchWebhook([{ op: "replace", path: "/webhooks/0/objectSelector", value: {} }]),
    },
    {
      what: "a matchCondition that is never true",
      check: "webhook",
      state: "WARN",
      message: /^its matchConditions\[never\] may exclude opted-in pods$/,
      damage: () =>
        install.patchWebhook([{ op: "add", path: "/webhooks/0/matchConditions/-", value: { name: "never", expression: "false" } }]),
      repair: () => install.patchWebhook([{ op: "remove", path: "/webhooks/0/matchConditions/1" }]),
    },
    {
      what: "no preflight configuration",
      check: "preflight",
      state: "WARN",
      message: /^not configured/,
      damage: () => install.deleting("validatingwebhookconfiguration", "keyvault-injector"),
      repair: () => install.putBack(),
    },
    {
      what: "an expired certificate",
      check: "certificates",
      state: "FAIL",
      message: /expired on 2020-/,
      damage: async () => {
        install.kept = await install.bundle();
        await install.setBundle(bundleOf(Date.parse("2019-06-01T00:00:00Z")));
      },
      repair: () => install.setBundle(install.kept),
    },
    {
      what: "a bundle without the CA of the Secret",
      check: "authority",
      state: "FAIL",
      message: /does not trust the CA of Secret keyvault-injector\/keyvault-injector-ca: it is not in the caBundle$/,
      damage: async () => {
        install.kept = await install.bundle();
        await install.setBundle(bundleOf(Date.now()));
      },
      repair: () => install.setBundle(install.kept),
    },
    {
      what: "no CA Secret",
      check: "authority",
      state: "FAIL",
      message: /^Secret keyvault-injector\/keyvault-injector-ca does not exist$/,
      damage: () => install.deleting("secret", "keyvault-injector-ca", "-n", "keyvault-injector"),
      repair: () => install.putBack(),
    },
    {
      what: "somebody else at the webhook's address",
      check: "authority",
      state: "FAIL",
      message: /^127\.0\.0\.1 serves a certificate of .* that the API server does not trust/,
      damage: async () => {
        install.kept = JSON.stringify(await install.clientConfig());
        const { port } = new URL(install.plane.server);
        const config = { url: `https://127.0.0.1:${port}/`, caBundle: await install.bundle() };
        await install.patchWebhook([{ op: "replace", path: "/webhooks/0/clientConfig", value: config }]);
      },
      repair: () => install.patchWebhook([{ op: "replace", path: "/webhooks/0/clientConfig", value: JSON.parse(install.kept) }]),
    },
    {
      what: "another namespace left out",
      check: "namespaces",
      state: "WARN",
      message: /also excluded: default$/,
      damage: () =>
        install.patchWebhook([{ op: "add", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/-", value: "default" }]),
      repair: () => install.patchWebhook([{ op: "remove", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/2" }]),
    },
    {
      what: "kube-system not left out",
      check: "namespaces",
      state: "FAIL",
      message: /^kube-system is not excluded/,
      damage: () =>
        install.patchWebhook([{ op: "replace", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/0", value: "kube-public" }]),
      repair: () =>
        install.patchWebhook([{ op: "replace", path: "/webhooks/0/namespaceSelector/matchExpressions/0/values/0", value: "kube-system" }]),
    },
  ];
}
