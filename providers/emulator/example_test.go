package emulator_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/rolecall/rolecall/providers/emulator"
)

func ExampleOpen() {
	s, err := emulator.Open(emulator.Options{Seed: "testdata/small.org.json"})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()

	req, err := http.NewRequest("GET", server.URL+"/v1/organizations/users?email=jane@acme.com", nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("X-Api-Key", "any key will do")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	// Output:
	// {"data":[{"type":"user","id":"user_01VHauz2o5iCsnBvMAn4WSAB","email":"jane@acme.com","name":"Jane Smith","role":"user","added_at":"2025-01-31T10:57:01Z"}],"has_more":false,"first_id":"user_01VHauz2o5iCsnBvMAn4WSAB","last_id":"user_01VHauz2o5iCsnBvMAn4WSAB"}
}
