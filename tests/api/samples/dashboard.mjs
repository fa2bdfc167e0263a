// The retrospectives document's sample "Real-time Dashboard Updates", word for word (but for blanks at the ends of lines) between the import and the call.
import "./browser.mjs";

// Connect to WebSocket for live updates
function initializeRetrospectiveDashboard(retrospectiveId) {
    const ws = new WebSocket(`ws://localhost:8000/api/ws/retrospectives/${retrospectiveId}`);

    ws.onmessage = function(event) {
        const update = JSON.parse(event.data);

        // Update UI based on event type
        switch(update.event_type) {
            case 'kpiUpdated':
                updateKPICards(update.data);
                break;
            case 'insightGenerated':
                addInsightCard(update.data);
                break;
            case 'reportApproved':
                showApprovalBanner(update.data);
                break;
        }
    };

    return ws;
}

initializeRetrospectiveDashboard(456);
