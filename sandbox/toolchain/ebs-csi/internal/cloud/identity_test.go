package cloud

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const issuer = "https://oidc.eks.ap-southeast-1.amazonaws.com/id/8DE440F2238C6B959FB7C65EA52AF80B"

// The text that people find in their events and search for; only the request id varies.
var seen = regexp.MustCompile(`^could not create volume in EC2: operation error EC2: CreateVolume, get identity: get credentials: ` +
	`failed to refresh cached credentials, failed to retrieve credentials, operation error STS: AssumeRoleWithWebIdentity, ` +
	`exceeded maximum number of attempts, 3, https response error StatusCode: 400, RequestID: cc63c0cd, ` +
	`InvalidIdentityToken: No OpenIDConnect provider found in your account for ` + regexp.QuoteMeta(issuer) + `$`)

func TestMissingProviderGivesTheErrorOfTheOriginalCase(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		if !strings.Contains(string(body), "Action=AssumeRoleWithWebIdentity") {
			t.Errorf("EC2 was asked without an identity: %s", body)
		}
		calls++
		writer.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(writer, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>`+
			`<Code>InvalidIdentityToken</Code><Message>No OpenIDConnect provider found in your account for %s</Message></Error>`+
			`<RequestId>cc63c0cd</RequestId></ErrorResponse>`, issuer)
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a.b.c"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "ap-southeast-1",
		// The SDK makes its STS client for this before it reads AWS_ENDPOINT_URL, so STS is named on its own.
		"AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_STS": server.URL,
		"AWS_ROLE_ARN": "arn:aws:iam::140023393377:role/eks-ebs-csi-driver", "AWS_WEB_IDENTITY_TOKEN_FILE": token,
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	cloud, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = cloud.CreateVolume(t.Context(), VolumeRequest{Name: "pvc-1", SizeGiB: 20, Type: "gp2", Zone: "ap-southeast-1a"})
	if err == nil || !seen.MatchString(err.Error()) {
		t.Errorf("got  %v\nwant %s", err, seen)
	}
	err = cloud.DryRun(t.Context())
	if want := "dry-run EC2 API call failed: operation error EC2: DescribeAvailabilityZones, get identity: get credentials: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s…", err, want)
	}
	if calls != 6 {
		t.Errorf("STS was asked %d times, the real driver asks 3 times for each call", calls)
	}
}

// EKS Pod Identity gives its pods this address. The SDK accepts it on loopback too.
func TestSilentCredentialsEndpointGivesTheErrorOfTheSDK(t *testing.T) {
	ended := make(chan struct{})
	agent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	defer agent.Close()
	defer close(ended)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "ap-southeast-1",
		"AWS_ROLE_ARN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.URL + "/v1/credentials",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	cloud, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = cloud.CreateVolume(ctx, VolumeRequest{Name: "pvc-1", SizeGiB: 20, Type: "gp2", Zone: "ap-southeast-1a"})
	want := "could not create volume in EC2: operation error EC2: CreateVolume, get identity: get credentials: request canceled, context deadline exceeded"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
