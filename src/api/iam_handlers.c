/*
 * The routes of people and access: logins and users of the business contract, those of crm, and what administers them. Rows only; the
 * handlers stand in the files beside this one.
 */
#include "api/iam_handlers.h"

#include "api/registry.h"
#include "domain/iam/api_key.h"
#include "domain/iam/company.h"
#include "domain/iam/person.h"
#include "domain/iam/role.h"
#include "domain/iam/team.h"

#define P(name)		PERM_BIT(PERM_##name)
#define PEOPLE_READERS	(P(USER_READ) | P(USER_WRITE) | P(COMPANY_ADMIN))
#define PEOPLE_WRITERS	(P(USER_WRITE) | P(COMPANY_ADMIN))
#define ADMIN		P(COMPANY_ADMIN)
#define COMPANY_READERS (P(COMPANY_ADMIN) | P(PLATFORM_ADMIN))

#define TEXT_SCHEMA "{\"type\":\"string\"}"
#define LOGIN_SCHEMA                                                                           \
	"{\"type\":\"object\",\"required\":[\"username\",\"password\"],\"properties\":{"       \
	"\"username\":{\"type\":\"string\",\"description\":\"User name or e-mail address.\"}," \
	"\"password\":{\"type\":\"string\",\"format\":\"password\"}}}"
#define LOGIN_EXAMPLE "{\"username\":\"your_username\",\"password\":\"your_password\"}"
#define TOKENS_PROPERTIES                                                                                  \
	"\"access\":" TEXT_SCHEMA ",\"refresh\":" TEXT_SCHEMA ",\"access_token\":" TEXT_SCHEMA             \
	",\"refresh_token\":" TEXT_SCHEMA ",\"token\":" TEXT_SCHEMA                                        \
	",\"token_type\":{\"type\":\"string\",\"const\":\"bearer\"},\"expires_in\":{\"type\":\"integer\"," \
	"\"description\":\"Seconds.\"}"
#define TOKENS_EXAMPLE                                                                                \
	"\"access\":\"eyJhbGciOiJIUzI1NiIs…\",\"refresh\":\"eyJhbGciOiJIUzI1NiIs…\","             \
	"\"access_token\":\"eyJhbGciOiJIUzI1NiIs…\",\"refresh_token\":\"eyJhbGciOiJIUzI1NiIs…\"," \
	"\"token\":\"eyJhbGciOiJIUzI1NiIs…\",\"token_type\":\"bearer\",\"expires_in\":3600"
#define USER_EXAMPLE                                                                                 \
	"{\"id\":1,\"username\":\"john.smith\",\"email\":\"john.smith@example.com\",\"first_name\":" \
	"\"John\","                                                                                  \
	"\"last_name\":\"Smith\",\"phone\":\"\",\"role\":\"EMPLOYEE\",\"employee_id\":\"emp-001\","  \
	"\"supervisor_id\":null,\"department\":\"Sales\",\"is_active\":true,\"is_staff\":false,"     \
	"\"is_superuser\":false,\"date_joined\":\"2024-06-15T09:00:00Z\",\"last_login\":null,"       \
	"\"created_at\":\"2024-06-15T09:00:00Z\",\"updated_at\":\"2024-06-15T09:00:00Z\"}"
#define CRM_LOGIN_SCHEMA                                                                         \
	"{\"type\":\"object\",\"required\":[\"username\",\"password\"],\"properties\":{"         \
	"\"username\":{\"type\":\"string\",\"description\":\"User name or e-mail address.\"},"   \
	"\"password\":{\"type\":\"string\",\"format\":\"password\"},\"user_agent\":" TEXT_SCHEMA \
	",\"authflow\":" TEXT_SCHEMA "}}"
#define EXTERNAL_LOGIN_SCHEMA                                                                      \
	"{\"type\":\"object\",\"required\":[\"username\",\"password\"],\"properties\":{"           \
	"\"username\":" TEXT_SCHEMA ",\"password\":{\"type\":\"string\",\"format\":\"password\"}," \
	"\"company_id\":{\"type\":\"integer\",\"description\":\"The company the account must be of.\"}}}"
#define CRM_TOKEN_SCHEMA                                                                                    \
	"{\"type\":\"object\",\"required\":[\"token\",\"user_id\",\"role\",\"company_id\",\"expires_in\"]," \
	"\"properties\":{\"token\":" TEXT_SCHEMA ",\"refresh_token\":" TEXT_SCHEMA                          \
	",\"token_type\":" TEXT_SCHEMA ",\"user_id\":{\"type\":\"integer\"},\"username\":" TEXT_SCHEMA      \
	",\"role\":" TEXT_SCHEMA                                                                            \
	",\"company_id\":{\"type\":\"integer\"},\"expires_in\":{\"type\":\"integer\"}}}"
#define CRM_TOKEN_EXAMPLE                                                                               \
	"{\"token\":\"eyJhbGciOiJIUzI1NiIs…\",\"refresh_token\":\"eyJhbGciOiJIUzI1NiIs…\","         \
	"\"token_type\":\"bearer\",\"user_id\":5,\"username\":\"john.smith\",\"role\":\"SALESPERSON\"," \
	"\"company_id\":15,\"expires_in\":3600}"
#define MEMBERS_SCHEMA                                                                              \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"user_id\":{\"type\":" \
	"\"integer\"},"                                                                             \
	"\"username\":" TEXT_SCHEMA                                                                 \
	",\"employee_id\":{\"type\":[\"string\",\"null\"]},\"first_name\":" TEXT_SCHEMA             \
	",\"last_name\":" TEXT_SCHEMA "}}}"
#define MEMBERS_EXAMPLE                                                                                    \
	"[{\"user_id\":5,\"username\":\"john.smith\",\"employee_id\":\"emp-001\",\"first_name\":\"John\"," \
	"\"last_name\":\"Smith\"}]"
#define SETUP_SCHEMA                                                                           \
	"{\"type\":\"object\",\"required\":[\"token\",\"company\",\"username\",\"password\"]," \
	"\"properties\":{"                                                                     \
	"\"token\":" TEXT_SCHEMA ",\"company\":" TEXT_SCHEMA ",\"time_zone\":" TEXT_SCHEMA     \
	",\"currency\":" TEXT_SCHEMA ",\"username\":" TEXT_SCHEMA ",\"email\":" TEXT_SCHEMA    \
	",\"password\":{\"type\":\"string\",\"format\":\"password\",\"minLength\":8}}}"

static const struct api_param setup_params[] = {
	{ .name = "token",
		.schema = TEXT_SCHEMA,
		.doc = "The token that the server printed.",
		.required = true },
	{ .name = NULL },
};
static const struct api_param company_params[] = {
	{ .name = "company_id",
		.schema = "{\"type\":\"integer\"}",
		.doc = "Another company than the own one: for platform administrators." },
	{ .name = NULL },
};

static const struct api_route login_rows[] = {
	{ .method = HTTP_POST,
		.path = "/api/auth/token",
		.handler = token_create,
		.perm = PERM_ANYONE,
		.work = API_SLOW,
		.body = API_BODY_JSON_OR_FORM,
		.success = 200,
		.summary = "Log in",
		.doc = "Answers the names that clients of every contract look for: access, access_token and "
		       "token are the "
		       "same.",
		.request_schema = LOGIN_SCHEMA,
		.request_example = LOGIN_EXAMPLE,
		.answer_schema = "{\"type\":\"object\",\"required\":[\"access\",\"refresh\",\"access_token\","
				 "\"token_type\"],"
				 "\"properties\":{" TOKENS_PROPERTIES
				 ",\"user\":{\"$ref\":\"#/components/schemas/User\"}}}",
		.answer_example = "{" TOKENS_EXAMPLE ",\"user\":" USER_EXAMPLE "}" },
	{ .method = HTTP_POST,
		.path = "/api/auth/token/refresh",
		.handler = token_refresh,
		.perm = PERM_ANYONE,
		.work = API_SLOW,
		.body = API_BODY_JSON_OR_FORM,
		.success = 200,
		.summary = "Renew a token",
		.doc = "Takes a refresh token, which is used up, and answers a new pair. Presenting a used "
		       "one ends the "
		       "session.",
		.request_schema = "{\"type\":\"object\",\"required\":[\"refresh\"],\"properties\":{"
				  "\"refresh\":" TEXT_SCHEMA "}}",
		.request_example = "{\"refresh\":\"eyJhbGciOiJIUzI1NiIs…\"}",
		.answer_schema = "{\"type\":\"object\",\"required\":[\"access\",\"refresh\"],\"properties\":"
				 "{" TOKENS_PROPERTIES "}}",
		.answer_example = "{" TOKENS_EXAMPLE "}" },
	{ .method = HTTP_POST,
		.path = "/api/auth/token/verify",
		.handler = token_verify,
		.perm = PERM_ANYONE,
		.work = API_READ,
		.body = API_BODY_JSON_OR_FORM,
		.success = 200,
		.summary = "Check a token",
		.doc = "200 with an empty object when the token is good and its session lives, otherwise "
		       "401.",
		.request_schema =
			"{\"type\":\"object\",\"required\":[\"token\"],\"properties\":{\"token\":" TEXT_SCHEMA
			"}}",
		.request_example = "{\"token\":\"eyJhbGciOiJIUzI1NiIs…\"}",
		.answer_schema = "{\"type\":\"object\"}",
		.answer_example = "{}" },
	{ .method = HTTP_POST,
		.path = "/api/v1/i_auth",
		.handler = internal_login,
		.perm = PERM_ANYONE,
		.work = API_SLOW,
		.body = API_BODY_JSON_OR_FORM,
		.success = 200,
		.summary = "Log in (crm)",
		.doc = "Failures are 500, a suspended account is 505, as the contract documents; the server "
		       "can be told to "
		       "answer 401 and 403.",
		.request_schema = CRM_LOGIN_SCHEMA,
		.request_example = "{\"username\":\"user@example.com\",\"password\":\"secret "
				   "password\",\"authflow\":\"jwt\"}",
		.answer_schema = CRM_TOKEN_SCHEMA,
		.answer_example = CRM_TOKEN_EXAMPLE },
	{ .method = HTTP_POST,
		.path = "/api/v1/ex_auth",
		.handler = external_login,
		.perm = PERM_ANYONE,
		.work = API_SLOW,
		.body = API_BODY_JSON_OR_FORM,
		.success = 200,
		.summary = "Log in to a named company (crm)",
		.doc = "As i_auth; the account must be of the company named.",
		.request_schema = EXTERNAL_LOGIN_SCHEMA,
		.request_example = "{\"username\":\"extractor_user\",\"password\":\"secret "
				   "password\",\"company_id\":15}",
		.answer_schema = CRM_TOKEN_SCHEMA,
		.answer_example = CRM_TOKEN_EXAMPLE },
	{ .method = HTTP_POST,
		.path = "/api/v1/logout",
		.handler = logout,
		.perm = PERM_AUTHENTICATED,
		.work = API_WRITE,
		.success = 200,
		.summary = "End the session",
		.doc = "All tokens of the session stop working at once.",
		.answer_schema = "{\"type\":\"null\"}" },
	{ .method = HTTP_GET,
		.path = "/setup",
		.handler = setup_page,
		.perm = PERM_ANYONE,
		.work = API_READ,
		.summary = "Set-up form of a first start",
		.doc = "404 unless the token is the one the server printed and nobody can log in yet.",
		.params = setup_params,
		.answer_type = "text/html" },
	{ .method = HTTP_POST,
		.path = "/setup",
		.handler = setup_submit,
		.perm = PERM_ANYONE,
		.work = API_SLOW,
		.body = API_BODY_JSON_OR_FORM,
		.success = 201,
		.summary = "Make the first company and its administrator",
		.doc = "Works once.",
		.request_schema = SETUP_SCHEMA,
		.request_example = "{\"token\":\"…\",\"company\":\"XYZ "
				   "Corp\",\"username\":\"ada\",\"password\":\"correct horse\"}",
		.answer_type = "text/html" },
};

#define USER_ROW(m, p, h, perms, w, b)                                                         \
	.method = (m), .path = (p), .handler = (h), .perm = (perms), .work = (w), .body = (b), \
	.res = &person_res, .view = &user_business_view
#define CRM_USER_ROW(m, p, h, perms, w, b)                                                     \
	.method = (m), .path = (p), .handler = (h), .perm = (perms), .work = (w), .body = (b), \
	.res = &person_res, .view = &user_crm_view

static const struct api_route user_rows[] = {
	{ USER_ROW(HTTP_GET, "/api/auth/users", user_list, ADMIN, API_READ, API_BODY_NONE), .op = RES_LIST,
		.summary = "List users" },
	{ USER_ROW(
		  HTTP_POST, "/api/auth/users", user_create, PEOPLE_WRITERS, API_SLOW, API_BODY_JSON_OR_FORM),
		.op = RES_CREATE, .summary = "Create a user",
		.doc = "A password is required. Without a role the user is an EMPLOYEE." },
	{ USER_ROW(HTTP_GET, "/api/auth/users/me", user_me_read, PERM_AUTHENTICATED, API_READ, API_BODY_NONE),
		.op = RES_READ, .summary = "The own profile" },
	{ USER_ROW(HTTP_PUT, "/api/auth/users/me", user_me_merge, PERM_AUTHENTICATED, API_SLOW,
		  API_BODY_JSON_OR_FORM),
		.op = RES_UPDATE, .summary = "Change the own profile",
		.doc = "Only what is given changes. Nobody can change the own role." },
	{ USER_ROW(HTTP_PATCH, "/api/auth/users/me", user_me_merge, PERM_AUTHENTICATED, API_SLOW,
		  API_BODY_JSON_OR_FORM),
		.op = RES_UPDATE, .summary = "Change some of the own profile" },
	{ USER_ROW(HTTP_GET, "/api/auth/users/{id}", user_read, PERM_AUTHENTICATED, API_READ, API_BODY_NONE),
		.op = RES_READ, .summary = "Read a user",
		.doc = "Oneself, or anyone of the company for those who see people." },
	{ USER_ROW(HTTP_PUT, "/api/auth/users/{id}", user_replace, PERM_AUTHENTICATED, API_SLOW,
		  API_BODY_JSON_OR_FORM),
		.op = RES_UPDATE, .summary = "Replace a user",
		.doc = "Optional fields that are left out keep their value." },
	{ USER_ROW(HTTP_PATCH, "/api/auth/users/{id}", user_merge, PERM_AUTHENTICATED, API_SLOW,
		  API_BODY_JSON_OR_FORM),
		.op = RES_UPDATE, .summary = "Change a user" },
	{ USER_ROW(
		  HTTP_DELETE, "/api/auth/users/{id}", user_remove, PEOPLE_WRITERS, API_WRITE, API_BODY_NONE),
		.op = RES_DELETE, .summary = "Delete a user",
		.doc = "The last administrator of a company stays." },
	{ CRM_USER_ROW(HTTP_GET, "/api/v1/users", user_list, PEOPLE_READERS, API_READ, API_BODY_NONE),
		.op = RES_LIST, .summary = "List users (crm)", .params = company_params },
	{ CRM_USER_ROW(HTTP_POST, "/api/v1/users", user_create, PEOPLE_WRITERS, API_SLOW, API_BODY_JSON),
		.op = RES_CREATE, .summary = "Create a user (crm)",
		.doc = "The role is named by role_id or role. company_id may be another company for platform "
		       "administrators." },
	{ CRM_USER_ROW(HTTP_GET, "/api/v1/users/{user_id}", user_read, PERM_AUTHENTICATED, API_READ,
		  API_BODY_NONE),
		.op = RES_READ, .summary = "Read a user (crm)" },
	{ CRM_USER_ROW(HTTP_PUT, "/api/v1/users/{user_id}", user_merge, PERM_AUTHENTICATED, API_SLOW,
		  API_BODY_JSON),
		.op = RES_UPDATE, .summary = "Change a user (crm)",
		.doc = "Only what is given changes. For those who administer people, and oneself." },
	{ CRM_USER_ROW(HTTP_DELETE, "/api/v1/users/{user_id}", user_deactivate, PEOPLE_WRITERS, API_WRITE,
		  API_BODY_NONE),
		.op = RES_DELETE, .success = 200, .summary = "Deactivate a user (crm)",
		.doc = "The user's sessions end at once." },
};

#define ROW(m, p, h, perms, w, b, r, v)                                                                     \
	.method = (m), .path = (p), .handler = (h), .perm = (perms), .work = (w), .body = (b), .res = &(r), \
	.view = (v)
#define COMPANY_ROW(m, p, h, perms, w, b) ROW(m, p, h, perms, w, b, company_res, &company_crm_view)
#define TEAM_ROW(m, p, h, perms, w, b)	  ROW(m, p, h, perms, w, b, team_res, &team_view)
#define ROLE_ROW(m, p, h, perms, w, b)	  ROW(m, p, h, perms, w, b, role_res, NULL)
#define KEY_ROW(m, p, h, w, b)		  ROW(m, p, h, ADMIN, w, b, api_key_res, &api_key_view)

static const struct api_route company_rows[] = {
	{ COMPANY_ROW(HTTP_GET, "/api/v1/companies", company_list, COMPANY_READERS, API_READ, API_BODY_NONE),
		.op = RES_LIST, .summary = "List companies",
		.doc = "All for platform administrators, the own one for a company's administrator." },
	{ COMPANY_ROW(HTTP_POST, "/api/v1/companies", company_add, COMPANY_READERS, API_WRITE, API_BODY_JSON),
		.op = RES_CREATE, .summary = "Create a company",
		.doc = "For platform administrators. The built-in roles come with it." },
	{ COMPANY_ROW(HTTP_GET, "/api/v1/companies/{company_id}", company_read, PERM_AUTHENTICATED, API_READ,
		  API_BODY_NONE),
		.op = RES_READ, .summary = "Read a company" },
	{ COMPANY_ROW(HTTP_PUT, "/api/v1/companies/{company_id}", company_merge, COMPANY_READERS, API_WRITE,
		  API_BODY_JSON),
		.op = RES_UPDATE, .summary = "Change a company", .doc = "Only what is given changes." },

	{ TEAM_ROW(HTTP_GET, "/api/v1/teams", api_res_list, PERM_AUTHENTICATED, API_READ, API_BODY_NONE),
		.op = RES_LIST, .summary = "List teams" },
	{ TEAM_ROW(HTTP_POST, "/api/v1/teams", api_res_create, PEOPLE_WRITERS, API_WRITE, API_BODY_JSON),
		.op = RES_CREATE, .summary = "Create a team" },
	{ TEAM_ROW(HTTP_GET, "/api/v1/teams/{team_id}", api_res_read, PERM_AUTHENTICATED, API_READ,
		  API_BODY_NONE),
		.op = RES_READ, .summary = "Read a team" },
	{ TEAM_ROW(HTTP_PUT, "/api/v1/teams/{team_id}", api_res_merge, PEOPLE_WRITERS, API_WRITE,
		  API_BODY_JSON),
		.op = RES_UPDATE, .summary = "Change a team", .doc = "Only what is given changes." },
	{ TEAM_ROW(HTTP_DELETE, "/api/v1/teams/{team_id}", api_res_delete, PEOPLE_WRITERS, API_WRITE,
		  API_BODY_NONE),
		.op = RES_DELETE, .summary = "Delete a team" },
	{ .method = HTTP_GET,
		.path = "/api/v1/teams/{team_id}/members",
		.handler = team_members_list,
		.perm = PERM_AUTHENTICATED,
		.work = API_READ,
		.summary = "List a team's members",
		.answer_schema = MEMBERS_SCHEMA,
		.answer_example = MEMBERS_EXAMPLE },
	{ .method = HTTP_POST,
		.path = "/api/v1/teams/{team_id}/members",
		.handler = team_member_join,
		.perm = PEOPLE_WRITERS,
		.work = API_WRITE,
		.body = API_BODY_JSON,
		.success = 200,
		.summary = "Add a member to a team",
		.doc = "Answers all members. Adding one twice is fine.",
		.request_schema = "{\"type\":\"object\",\"required\":[\"user_id\"],\"properties\":{\"user_"
				  "id\":{\"type\":\"integer\"}}}",
		.request_example = "{\"user_id\":5}",
		.answer_schema = MEMBERS_SCHEMA,
		.answer_example = MEMBERS_EXAMPLE },
	{ .method = HTTP_DELETE,
		.path = "/api/v1/teams/{team_id}/members/{user_id}",
		.handler = team_member_leave,
		.perm = PEOPLE_WRITERS,
		.work = API_WRITE,
		.success = 200,
		.summary = "Take a member out of a team",
		.answer_schema = "{\"type\":\"null\"}" },

	{ ROLE_ROW(HTTP_GET, "/api/v1/roles", api_res_list, PEOPLE_READERS, API_READ, API_BODY_NONE),
		.op = RES_LIST, .summary = "List roles" },
	{ ROLE_ROW(HTTP_POST, "/api/v1/roles", api_res_create, ADMIN, API_WRITE, API_BODY_JSON),
		.op = RES_CREATE, .summary = "Create a role" },
	{ ROLE_ROW(
		  HTTP_GET, "/api/v1/roles/{role_id}", api_res_read, PEOPLE_READERS, API_READ, API_BODY_NONE),
		.op = RES_READ, .summary = "Read a role" },
	{ ROLE_ROW(HTTP_PUT, "/api/v1/roles/{role_id}", api_res_merge, ADMIN, API_WRITE, API_BODY_JSON),
		.op = RES_UPDATE, .summary = "Change a role",
		.doc = "Only what is given changes; built-in roles do not." },
	{ ROLE_ROW(HTTP_DELETE, "/api/v1/roles/{role_id}", api_res_delete, ADMIN, API_WRITE, API_BODY_NONE),
		.op = RES_DELETE, .summary = "Delete a role", .doc = "409 while people or keys have it." },

	{ KEY_ROW(HTTP_GET, "/api/v1/api-keys", api_res_list, API_READ, API_BODY_NONE), .op = RES_LIST,
		.summary = "List API keys" },
	{ KEY_ROW(HTTP_POST, "/api/v1/api-keys", key_create, API_WRITE, API_BODY_JSON), .op = RES_CREATE,
		.summary = "Create an API key",
		.doc = "The answer holds the key as `key`; it cannot be read again. It is sent as "
		       "X-API-Key." },
	{ KEY_ROW(HTTP_GET, "/api/v1/api-keys/{key_id}", api_res_read, API_READ, API_BODY_NONE),
		.op = RES_READ, .summary = "Read what is known of an API key" },
	{ KEY_ROW(HTTP_PUT, "/api/v1/api-keys/{key_id}", api_res_merge, API_WRITE, API_BODY_JSON),
		.op = RES_UPDATE, .summary = "Change an API key", .doc = "Name, end, and whether it works." },
	{ KEY_ROW(HTTP_DELETE, "/api/v1/api-keys/{key_id}", api_res_delete, API_WRITE, API_BODY_NONE),
		.op = RES_DELETE, .summary = "Revoke an API key", .doc = "It stops working at once." },
};

const struct api_routes login_routes = { login_rows, COUNT(login_rows), "Authentication",
	"Logging in, renewing tokens, logging out." };
const struct api_routes user_routes = { user_rows, COUNT(user_rows), "Users",
	"The people of a company, by the words of two contracts." };
const struct api_routes company_routes = { company_rows, COUNT(company_rows), "Companies",
	"Companies, teams, roles and API keys." };
