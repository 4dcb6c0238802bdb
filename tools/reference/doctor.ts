/** The page of doctor: what the code does not say of a leaf is what to do. */
import { CLASS_STEPS, LEAVES, type LeafName } from "../../src/cli/doctor/class/leaves.ts";
import { CLASS_VERDICTS } from "../../src/cli/doctor/plan/plan.ts";
import { SECRET_ACTIONS } from "../../src/cli/doctor/plan/plan-secret.ts";
import { code, type Places, table } from "./page.ts";

/** Empty where there is nothing to do. */
const FIXES: Readonly<Record<LeafName, string>> = {
  "class-ok": "",
  "class-absent": "create the class, correct the name or namespace, or run `restore`",
  "class-unreadable": "get permission to read the class",
  "class-not-azure": "",
  "class-invalid": "correct the field that the parser names",
  "class-limited":
    "use values that `--allowed-vaults` and `--allowed-identity-modes` allow, or extend these settings. For the node's identity, run the named [`grants`](cli.md#grants) command",
  "secret-object-invalid": "correct the named field",
  "identity-ok": "",
  "identity-unsupported": "use workload identity (`clientID`) instead, or turn on [identity bindings](../how-to/use-identity-bindings.md)",
  "credentials-unreadable": "get permission to read that Secret, or run doctor in the worker's pod",
  "credentials-not-allowed": "use a Secret whose name is in `--credentials-secret-names`, or add the name to that setting",
  "credentials-absent": "create the Secret with `clientid` and `clientsecret`",
  "credentials-incomplete": "set the named key",
  "credentials-padded": "write the value without whitespace, using `kubectl create secret generic --from-literal`",
  "account-unknown": "name a ServiceAccount in the annotation `keyvault-injector.dev/service-account`",
  "account-absent": "create the ServiceAccount, or use another ServiceAccount",
  "account-not-granted": "run the named [`grants`](cli.md#grants) command",
  "token-request-forbidden":
    "get `create` permission on `serviceaccounts/token` for that ServiceAccount, or run doctor in the worker's pod",
  "cloud-elsewhere": "run doctor in the worker's pod",
  "identity-binding-elsewhere": "run doctor in the worker's pod",
  "managed-identity-elsewhere": "run doctor in the worker's pod",
  "network-ok": "",
  "host-unresolved": "create the vault, correct `keyvaultName`, or repair DNS or egress. Then check `cloudName`",
  "name-service-silent": "repair DNS on this machine",
  "proxy-unreachable": "correct `HTTPS_PROXY`, or exempt the host in `NO_PROXY`",
  "proxy-refuses": "allow the host in the proxy, or correct `keyvaultName`",
  "host-refuses": "allow connections to port 443 of the host",
  "host-silent": "allow connections to port 443 of the host",
  "authority-unknown":
    "if the CA of a proxy issued the certificate, add that CA with `NODE_EXTRA_CA_CERTS`. Otherwise, find out which server responds",
  "certificate-wrong": "find out which server responds, and check the clock",
  "network-elsewhere": "run doctor in the worker's pod",
  "token-ok": "",
  "client-secret-wrong": "set `clientsecret` to the value of the client secret, not to its ID",
  "client-secret-expired": "create a new client secret, and put it in `clientsecret`",
  "application-unknown": "correct the client ID (`clientid` or `clientID`) or `tenantID`",
  "tenant-unknown": "correct `tenantID`",
  "not-federated": "add a federated credential with the named subject, issuer, and audience",
  "identity-binding-refused":
    "[bind the identity](../how-to/use-identity-bindings.md#1-bind-the-identity) to the cluster, and let the ServiceAccount use the identity. Otherwise, use workload identity",
  "managed-identity-refused": "assign the identity to the nodes, or correct `userAssignedIdentityID`",
  "token-refused": "look up the error code in the Entra documentation",
  "token-unanswered": "run doctor again, then check the network path to the named host and Azure's status page",
  "permission-ok": "",
  "vault-other-tenant": "set `tenantID` to the ID of the vault's tenant",
  "permission-missing": "assign the named role to the identity, or allow Get in the vault's access policies",
  "vault-firewall": "allow the outbound address, or use a private endpoint",
  "vault-private": "run doctor in the worker's pod, and get a private endpoint in the cluster's network approved",
  "vault-perimeter": "add an inbound access rule to the perimeter",
  "vault-throttles": "wait, poll less often, or use more vaults",
  "vault-api-version": "set `keyVaultAPIVersion` in the cloud file to the named version",
  "vault-fails": "run doctor again, then check the network path to the vault and Azure's status page",
  "object-ok": "",
  "object-absent": "create the object, or correct `objectName` or `objectVersion`",
  "object-wrong-type": "set the named `objectType`",
  "object-disabled": "enable the version, or specify an enabled version",
  "object-expired": "add a new version. Until then, the worker syncs the expired version",
  "object-not-yet-valid": "change the activation date of the version. The worker already syncs the version",
  "object-invalid": "correct the object, `objectFormat`, `objectEncoding`, or `objectType`",
  "status-ok": "",
  "status-off": "",
  "status-unreadable": "get the role `keyvault-injector-view`",
  "status-absent": "see the check `lease`",
  "status-outdated": "wait a moment, then run doctor again",
  "status-failing": "follow the status message, and see [reasons](reasons.md)",
  "restarts-ok": "",
  "restarts-waiting": "",
  "restarts-held": "follow the message; see [restart on rotation](../how-to/restart-on-rotation.md)",
  "restarts-halted": "see [RolloutFailed](../runbooks/RolloutFailed.md)",
  "restarts-unknown": "run doctor again in a minute. If the versions remain unknown, check the worker's log",
  "secret-ok": "",
  "secret-unreadable": "get permission to read the Secret",
  "secret-absent": "see the check `lease` and the class's status",
  "secret-foreign": "delete the Secret, or choose another `secretName`. If the CSI driver's own sync wrote the Secret, turn off that sync",
  "secret-edited": "see the check `lease`, and stop the other writer",
  "secret-differs": "see the check `lease`, and then change the class's annotation `refresh`",
  "secret-behind": "wait for the next poll, or change the class's annotation `refresh`",
};

export function doctorPlaces(): Places {
  const words = (title: string, of: Readonly<Record<string, string>>, meaning = "Meaning"): string =>
    table(
      [title, meaning],
      Object.entries(of).map(([word, means]) => [code(word), means]),
    );
  return {
    steps: words("Step", CLASS_STEPS, "Checks whether"),
    leaves: table(
      ["Leaf", "Step", "State", "Meaning", "What to do"],
      Object.entries(LEAVES).map(([name, { step, state, meaning }]) => [
        code(name),
        code(step),
        code(state),
        meaning,
        FIXES[name as LeafName], // A key of the table.
      ]),
    ),
    "plan-classes": words("Class", CLASS_VERDICTS),
    "plan-secrets": words("Secret", SECRET_ACTIONS),
  };
}
