"""The retrospectives document's Python integration samples as they stand there, with what they take for granted around them.

Called with the server's address, a token and a campaign's id; prints what the server answered, as JSON. The document hands a
datetime to requests' json=, which Python's encoder refuses, so the encoder is told to write ISO 8601 here.
"""
import json
import sys
from datetime import datetime, timedelta

import requests

SERVER, token, CAMPAIGN = sys.argv[1:]
API_BASE = f"{SERVER}/api"
json.JSONEncoder.default = lambda self, value: value.isoformat()

answers = []
post = requests.post


def recorded_post(*args, **kwargs):
    answer = post(*args, timeout=30, **kwargs)
    answers.append({"status": answer.status_code, "body": answer.json()})
    return answer


requests.post = recorded_post


def get_current_user_id():
    me = requests.get(f"{API_BASE}/auth/users/me/", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return me.json()["id"]


def get_campaign_team_id(campaign_id):
    return 789


def get_facebook_metrics(campaign_id):
    return {"roi": 2.45}


# When campaign completes
def on_campaign_complete(campaign_id):
    # Schedule retrospective
    retrospective_data = {
        "task_id": campaign_id,
        "created_by": get_current_user_id(),
        "scheduled_time": datetime.now() + timedelta(days=1),
        "status": "Scheduled",
        "team_id": get_campaign_team_id(campaign_id)
    }

    response = requests.post(
        f"{API_BASE}/retrospectives/",
        json=retrospective_data,
        headers={"Authorization": f"Bearer {token}"}
    )


# Collect KPIs from external sources
def collect_kpis(campaign_id):
    kpis = []

    # Facebook data
    fb_data = get_facebook_metrics(campaign_id)
    kpis.append({
        "campaign_id": campaign_id,
        "metric": "ROI",
        "value": fb_data["roi"],
        "source": "Facebook",
        "channel": "Paid Social"
    })

    # Submit to API
    response = requests.post(
        f"{API_BASE}/kpis/campaigns/{campaign_id}",
        json=kpis,
        headers={"Authorization": f"Bearer {token}"}
    )


on_campaign_complete(int(CAMPAIGN))
collect_kpis(int(CAMPAIGN))
print(json.dumps(answers))
