/* Handlers of people and access, for the route tables in iam_handlers.c. Private to the room. */
#ifndef API_IAM_HANDLERS_H
#define API_IAM_HANDLERS_H

#include "api/api.h"

/* iam_login_handlers.c */
api_handler token_create, token_refresh, token_verify, internal_login, external_login, logout;
/* iam_setup_handlers.c */
api_handler setup_page, setup_submit;
/* iam_user_handlers.c */
api_handler user_list, user_read, user_create, user_replace, user_merge, user_remove, user_deactivate,
	user_me_read, user_me_merge;
/* iam_company_handlers.c */
api_handler company_list, company_read, company_add, company_merge, team_members_list, team_member_join,
	team_member_leave, key_create;

#endif
