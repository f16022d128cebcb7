// Package openid lets people log in with the account that they have at their company:
// OpenID Connect with the authorization code, PKCE, state and nonce. It says who
// somebody is and in which groups; what that allows is for the console.
//
// References: OpenID Connect Core 1.0 section 3.1 and Discovery 1.0; RFC 6749 section
// 4.1; RFC 7636 (PKCE); RFC 8725 (JSON Web Token best practices); RFC 9207 (iss).
package openid
