// The retrospectives document's sample "Real-time Collaboration via WebSocket", word for word (but for blanks at the ends of lines) below the import.
import "./browser.mjs";

const ws = new WebSocket('ws://localhost:8000/api/ws/retrospectives/456');

ws.onmessage = function(event) {
  const data = JSON.parse(event.data);

  switch(data.event_type) {
    case 'kpiUpdated':
      console.log('KPI updated:', data.data);
      updateKPIDisplay(data.data);
      break;

    case 'insightGenerated':
      console.log('New insight:', data.data);
      addInsightToUI(data.data);
      break;

    case 'reportApproved':
      console.log('Report approved:', data.data);
      showApprovalNotification(data.data);
      break;
  }
};
