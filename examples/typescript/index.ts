// An application's role and a small RocketMQ, from TypeScript.
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ClusterOidcProvider, ExistingEksCluster, IrsaRole, RocketMq } from "@your-organisation/eks-rocketmq";

const config = new pulumi.Config();

const cluster = new ExistingEksCluster("cluster", { clusterName: config.require("clusterName") });
// Another stack manages the provider. IAM accepts one provider for each issuer.
const oidc = new ClusterOidcProvider("oidc", { issuer: cluster.oidcIssuer, existing: true });
const role = new IrsaRole("invoices", {
    roleName: "invoices-application",
    issuer: oidc.issuer,
    providerArn: oidc.arn,
    serviceAccounts: [{ namespace: "default", name: "invoices" }],
    managedPolicies: ["AmazonS3ReadOnlyAccess"],
});

// A component of another language cannot return a provider, so create it from the kubeconfig.
const provider = new kubernetes.Provider("kubernetes", {
    kubeconfig: cluster.kubeconfig,
    // A rotated CA or another endpoint must not replace every object of the cluster.
    clusterIdentifier: cluster.arn,
});
const rocketmq = new RocketMq(
    "invoices",
    {
        namespace: "invoices",
        storageClass: "gp2",
        profile: "dev",
        brokerGroups: [{ name: "broker-a", replicas: 1, memory: "1536Mi", cpu: "200m", storage: "10Gi" }],
        nameServers: { replicas: 1, memory: "320Mi", cpu: "50m" },
        controllers: { replicas: 1, memory: "512Mi", cpu: "50m", storage: "1Gi" },
        proxies: { replicas: 1, memory: "768Mi", cpu: "100m" },
        protectData: false,
    },
    { providers: [provider] },
);

export const roleArn = role.arn;
export const proxy = rocketmq.proxyEndpoint;
