/** README.md of the chart: what Artifact Hub and `helm show readme` show. */
import { PROJECT, withAbsoluteLinks } from "./project.ts";
import type { ValueRow } from "./value-row.ts";
import { valuesTables } from "./values-files.ts";

const INTRODUCTION = `# keyvault-injector

Azure Key Vault secrets in pods with two annotations, and as Kubernetes Secrets that rotate and heal themselves, from your existing
\`SecretProviderClass\` objects. The chart installs a mutating admission webhook, a sync worker, the Secrets Store CSI driver and its Azure provider.

It needs Kubernetes 1.30 or newer and Helm 3 or 4. A cluster has one install.

## Install

\`\`\`sh
helm install akvsecretsprovider ./keyvault-injector --namespace keyvault-injector --create-namespace \\
  --set image.repository=registry.example.com/platform/keyvault-injector
kubectl label namespace keyvault-injector pod-security.kubernetes.io/enforce=restricted
helm test akvsecretsprovider --namespace keyvault-injector --logs
\`\`\`

The last command runs \`doctor\` in the cluster, which says what is wrong and what to do about it.

- Sync into Secrets and rotation are on. With \`--set preset=extension\` what you do not give is as the Azure extension has it.
- Where the cluster has the driver: \`--set secrets-store-csi-driver.install=false\`. Where it has the provider: \`--set linux.enabled=false\`.
- Then [a first secret](docs/tutorial/first-secret.md), or [what changes for users of the Azure extension](docs/how-to/from-the-azure-extension.md).

## Upgrade

\`\`\`sh
helm upgrade akvsecretsprovider ./keyvault-injector --namespace keyvault-injector --reset-then-reuse-values
\`\`\`

With \`--reuse-values\` Helm goes on with the older chart's defaults, its image among them. [What each version asks for](docs/how-to/upgrade.md).

## Uninstall

\`\`\`sh
helm uninstall akvsecretsprovider --namespace keyvault-injector
\`\`\`

Definitions, classes and synced Secrets stay: [what stays, and how to remove it](docs/how-to/uninstall.md).

# Values`;

export function chartReadme(rows: readonly ValueRow[]): string {
  const tables = valuesTables(rows).replaceAll("](settings.md)", "](docs/reference/settings.md)");
  const text = withAbsoluteLinks(`${INTRODUCTION}\n\n${tables}\n`);
  return `<!-- Made by tools/helm-chart for ${PROJECT.version}. -->\n\n${text}`;
}
